/**
 * Who may talk to the display's server: pages that it served itself, and programs on this machine.
 *
 * Any web page in a browser on this machine can send requests to loopback. Two checks keep it out. The Origin that a
 * browser adds (RFC 6454, section 7; Fetch, "append a request Origin header") must be the address that was asked, and
 * Sec-Fetch-Site (W3C Fetch Metadata) must not say that another site asks, which also covers images and scripts, that
 * carry no Origin. Against DNS rebinding, where a foreign name is made to resolve to this machine and Origin and Host
 * agree, the Host itself must be loopback or an address of this machine.
 */
import { networkInterfaces } from "node:os";

export type Claims = {
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
};

/** Why a request is refused, with a way out; null when it is welcome. `listening`: the address in the settings. */
export function refusal(claims: Claims, listening: string): string | null {
  const { host, origin, fetchSite } = claims;
  const asked = addressOf(host);
  if (asked === null || !isOwnAddress(asked, listening))
    return `this server does not answer to the name "${host ?? ""}"; open it by its address, for example http://127.0.0.1`;
  if (origin !== undefined && origin !== `http://${host}`) return "requests from other origins are refused";
  if (fetchSite === "cross-site" || fetchSite === "same-site") return "requests from other sites are refused";
  return null;
}

/** The host name of a Host header in the form that URLs are compared in; null for what is no host. */
function addressOf(host: string | undefined): string | null {
  if (host === undefined || !/^[\w.-]+(:\d+)?$|^\[[\da-f:.]+\](:\d+)?$/i.test(host)) return null;
  const url = `http://${host}/`;
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, "") : null;
}

function isOwnAddress(address: string, listening: string): boolean {
  if (address === "localhost" || address === "::1" || /^127(\.\d+){3}$/.test(address)) return true;
  if (address === listening) return true;
  return Object.values(networkInterfaces()).some((entries) =>
    entries?.some((entry) => entry.address === address),
  );
}
