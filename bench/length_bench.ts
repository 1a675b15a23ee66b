import { benchForward, lengthCases, shortKernelCases } from "./cases.ts";

benchForward("forward by length", lengthCases);
benchForward("forward with a short kernel", shortKernelCases);
