import { benchForward, dtypeCases } from "./cases.ts";

benchForward("forward by dtype", dtypeCases);
