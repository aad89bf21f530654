/**
 * onnxruntime 1.29 and later report to Microsoft on Linux too: a device identifier in the home folder, the model's name and
 * hashes, timings, sent while it runs. This switches all of it off. The library reads the variable when it is loaded, so this
 * module is imported before it, everywhere; a value that somebody else set is overridden.
 */
process.env["ORT_DISABLE_TELEMETRY"] = "1";
