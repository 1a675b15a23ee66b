// Lane-accurate emulation of the instructions in device.cuh on the host: a fiber per thread, the fragment layouts of
// mma.sync, ldmatrix and stmatrix as the PTX manual gives them, half arithmetic rounded after every operation. It runs
// one block of threads after the other. Shared memory is an array; a bank-conflict count comes for free.
// Fibers are switched in a seeded random order and warps are delayed at random, so that a missing barrier shows.
//
// The files of emulate/:
//   types.h           what nvcc would supply
//   machine.h         fibers, the order in which they run, launches
//   threads.h         who a thread is, barriers, what lanes tell one another, the order of kernels
//   halves.h          halves, bfloat16 numbers and floats, one from the other
//   memory.h          shared and device memory, asynchronous copies between them
//   matrices.h        matrix instructions, bank conflicts
//   tensor_copies.h   tensor copies, bulk copies, their barriers and those in two halves
//   arithmetic.h      pairs of halves, floats and integers in registers
#pragma once
#include <type_traits>  // device code has it without asking

#include "emulate/arithmetic.h"
#include "emulate/machine.h"
#include "emulate/matrices.h"
#include "emulate/memory.h"
#include "emulate/tensor_copies.h"
#include "emulate/threads.h"
