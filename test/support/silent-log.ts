import type { SupervisorLog } from "../../daemon/shell/supervisor.ts";

export const silentLog: SupervisorLog = { debug() {}, info() {}, warn() {}, error() {} };
