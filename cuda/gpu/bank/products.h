// How the filters of a bank are cut into matrix products, for the device functions and for those who make their tables.
#pragma once
#include "../../host/filter_bank.h"

namespace ffc::gpu {
namespace {

constexpr int D = coarseRate, residues = FilterBank::alike;
constexpr int cells = filtersOfHalves.cells, taps = filtersOfHalves.taps(), neighbours = filtersOfHalves.neighbours();
constexpr int mostSlots = coarseSlots;
constexpr int tileNumbers = 256;  // of a tile, and as many times D samples
constexpr int groupsOfTile = tileNumbers / (8 * residues);  // of 64 numbers
// Coefficients are stored 2^4 times as large, so that the small ones are no subnormal halves.
constexpr int coefficientExponent = 4;
// The power of two of float16 samples without a gate, which are not measured. The rings' transforms have room for it: a constant of 1000 is
// 3600 there, of which 32768 points make 3e4 in halves.
constexpr int plainExponent = 1;

// Sixteen slots, or `Together` = 2 times eight: there two neighbouring numbers of a slot are rows of one product, back two neighbouring
// numbers are columns of one step. With sixteen a warp has two residues, for which what it reads of shared memory is the same but
// for a tenth; their coefficients fill its registers.
template <int Together>
struct Product {
  static constexpr int slots = mostSlots / Together;
  static constexpr int threads = 256 / (3 - Together);
  // There: products of a warp, which together have two residues; steps of 16 samples, of a product and of both; groups of a warp.
  static constexpr int products = 3 - Together;
  static constexpr int steps = (taps + (Together - 1) * D) / 16, windowSteps = (taps + D) / 16;
  static constexpr int groups = groupsOfTile / Together;
  // Back: residues of a warp; steps of one cell or two.
  static constexpr int residuesOfWarp = 3 - Together;
  static constexpr int cellSteps = (cells + Together - 1) / Together;
};

}  // namespace
}  // namespace ffc::gpu
