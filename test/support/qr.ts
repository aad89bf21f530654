/** Reads the QR code in a picture, as a customer's telephone would. */
import { createCanvas, loadImage } from "@napi-rs/canvas";
import jsqr from "jsqr";

/** The text of the code in the PNG file, or undefined when none can be read. */
export async function readQr(path: string): Promise<string | undefined> {
  const image = await loadImage(path);
  const context = createCanvas(image.width, image.height).getContext("2d");
  context.drawImage(image, 0, 0);
  const { data, width, height } = context.getImageData(0, 0, image.width, image.height);
  // The package is CommonJS: its function is the default export of the default export.
  return jsqr.default(data, width, height)?.data;
}
