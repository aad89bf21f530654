/**
 * The sandbox's controls over HTTP, for tests and demonstrations:
 *   POST   /behaviour  {operation?, behaviour?, count?, transitMs?, latencyMs?}  what the next `count` charges
 *                      (or, operation "refund", refunds) meet
 *   GET    /behaviour  what is still planned
 *   DELETE /behaviour  forget what is planned
 *   GET    /charges    every charge the sandbox knows, and how many moved money
 *   GET    /refunds    every refund the sandbox knows, and how many gave money back
 */
import { Hono } from "hono";
import { PLAN } from "./bank.ts";
import type { SandboxGateway } from "./sandbox.ts";

export function sandboxControl(sandbox: SandboxGateway): Hono {
  const app = new Hono();
  app.post("/behaviour", async (context) => {
    if (context.req.header("content-type")?.startsWith("application/json") !== true) {
      return context.json({ error: "send JSON with content-type: application/json" }, 415);
    }
    const body: unknown = await context.req.json().catch(() => undefined);
    const plan = PLAN.safeParse(body);
    if (!plan.success) {
      const mistakes = plan.error.issues.map(
        ({ path, message }) => `${path.map(String).join(".")}: ${message}`,
      );
      return context.json({ error: mistakes.join("; ") }, 400);
    }
    sandbox.plan(plan.data);
    return context.json({ plans: sandbox.plans() });
  });
  app.get("/behaviour", (context) => context.json({ plans: sandbox.plans() }));
  app.delete("/behaviour", (context) => {
    sandbox.clearPlans();
    return context.json({ plans: [] });
  });
  app.get("/charges", (context) => {
    const charges = sandbox.charges();
    return context.json({
      charged: charges.filter(({ status }) => status === "charged").length,
      charges: charges.map(({ minor, refundedMinor, ...charge }) => ({
        ...charge,
        amountMinor: minor.toString(),
        refundedMinor: refundedMinor.toString(),
      })),
    });
  });
  app.get("/refunds", (context) => {
    const refunds = sandbox.refunds();
    return context.json({
      refunded: refunds.filter(({ status }) => status === "refunded").length,
      refunds: refunds.map(({ minor, ...refund }) => ({ ...refund, amountMinor: minor.toString() })),
    });
  });
  return app;
}
