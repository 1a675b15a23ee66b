import { benchForward, gateCases, modeCases } from "./cases.ts";

benchForward("forward by mode", modeCases);
benchForward("forward with gates", gateCases);
