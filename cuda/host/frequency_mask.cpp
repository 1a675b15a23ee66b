#include "frequency_mask.h"

#include <algorithm>
#include <numeric>

#include "number_text.h"
#include "status.h"

namespace ffc {
namespace {

// The shortest transform that every backend has.
constexpr int64_t fewestPoints = 256;
// A pattern is walked bin by bin.
constexpr int64_t mostPoints = int64_t{1} << 31;

bool oneOf(const std::vector<uint8_t>& bytes) {
  return std::any_of(bytes.begin(), bytes.end(), [](uint8_t b) { return b != 0; });
}

std::string nameOf(int32_t mode) {
  switch (mode) {
    case FFC_MODE_FULL: return "mode full";
    case FFC_MODE_SAME: return "mode same";
    case FFC_MODE_VALID: return "mode valid";
    default: return "mode " + std::to_string(mode);
  }
}

}  // namespace

FrequencyGrid frequencyGrid(int32_t mode, int64_t length) {
  if (length < 1)
    throw Error(FFC_INVALID_SHAPE, "length is " + std::to_string(length) + "; it must be at least 1");
  if (length > mostPoints)
    throw Error(FFC_LIMIT_EXCEEDED, "length is " + std::to_string(length) + "; frequency-sparse plans go up to " +
                                        std::to_string(mostPoints));
  if (mode == FFC_MODE_CIRCULAR) return {length, length / 2 + 1};
  if (mode != FFC_MODE_CAUSAL)
    throw Error(FFC_UNSUPPORTED, "frequency-sparse plans are offered in causal and circular mode, not in " + nameOf(mode));
  int64_t points = fewestPoints;
  while (points < length) points *= 2;
  return {points, points};
}

int64_t blockCount(const FrequencyGrid& grid, int32_t kind, int64_t block) {
  if (kind != FFC_SPARSITY_BLOCKS && kind != FFC_SPARSITY_CLASSES)
    throw Error(FFC_INVALID_ARGUMENT,
                "sparsity kind is " + std::to_string(kind) + "; known are 1 (blocks) and 2 (classes)");
  const bool classes = kind == FFC_SPARSITY_CLASSES;
  if (block < 1 || block > grid.points)
    throw Error(FFC_INVALID_SHAPE, "sparsity block is " + std::to_string(block) + "; it must be from 1 to " +
                                       std::to_string(grid.points));
  if (!classes) return (grid.bins + block - 1) / block;
  if (grid.points % block != 0)
    throw Error(FFC_INVALID_SHAPE, "there are " + std::to_string(block) + " classes; their number must divide the " +
                                       std::to_string(grid.points) + " points of the transform");
  return block;
}

FrequencyMask::FrequencyMask(const ConvProblem& problem, const ffc_sparsity& sparsity, const uint8_t* keep) {
  const FrequencyGrid grid = frequencyGrid(problem.mode, problem.length);
  const int64_t blocks = blockCount(grid, sparsity.kind, sparsity.block);
  if (sparsity.keep_count != blocks)
    throw Error(FFC_INVALID_SHAPE, "keep has " + std::to_string(sparsity.keep_count) + " elements; this pattern has " +
                                       std::to_string(blocks) + " blocks");
  if (!keep) throw Error(FFC_INVALID_ARGUMENT, "keep is NULL");
  keep_.assign(keep, keep + blocks);
  for (int64_t b = 0; b < blocks; ++b)
    if (keep_[b] > 1)
      throw Error(FFC_INVALID_ARGUMENT, "keep[" + std::to_string(b) + "] is " + std::to_string(keep_[b]) +
                                            "; it must be 0 or 1");
  if (!oneOf(keep_)) throw Error(FFC_INVALID_ARGUMENT, "keep drops every block; at least one must be kept");
  view_.keep = keep_.data();
  view_.block = sparsity.block;
  view_.points = grid.points;
  view_.classes = sparsity.kind == FFC_SPARSITY_CLASSES;
  view_.shifted = problem.mode == FFC_MODE_CAUSAL;
  bins_ = grid.bins;
  // On the circular grid k and P - k are the two images of one real frequency.
  if (view_.classes && !view_.shifted)
    for (int64_t c = 1; c < blocks; ++c)
      if (keep_[c] != keep_[blocks - c])
        throw Error(FFC_INVALID_ARGUMENT,
                    "class " + std::to_string(c) + " is " + (keep_[c] ? "kept" : "dropped") + " and class " +
                        std::to_string(blocks - c) + " is not; in circular mode they are the two images of the same " +
                        "real frequencies and go together");
  if (view_.shifted && view_.classes) {
    keptBins_ = std::count(keep_.begin(), keep_.end(), 1) * (grid.points / blocks);
  } else if (!view_.classes) {
    for (int64_t b = 0; b < blocks; ++b)
      if (keep_[b]) keptBins_ += std::min(view_.block, bins_ - b * view_.block);
  } else {
    for (int64_t f = 0; f < bins_; ++f) keptBins_ += view_.keeps(f);
  }
}

FrequencyMask::FrequencyMask(const FrequencyMask& whole, int64_t points, int64_t firstBin)
    : view_(whole.view_), bins_(whole.view_.shifted ? points : points / 2 + 1), keptBins_(whole.keptBins_) {
  const Band band = whole.band();
  const auto bins = static_cast<double>(whole.bins_);
  // Of the shifted grid an even number, since neighbouring bins are k and -k.
  if (view_.classes || (view_.shifted && firstBin % 2) || band.from * bins < static_cast<double>(firstBin) ||
      band.to * bins > static_cast<double>(firstBin + bins_))
    throw Error(FFC_INTERNAL_ERROR, "a ring of " + std::to_string(points) + " points does not have all frequencies that are kept");
  // Blocks that those of the whole grid consist of.
  view_.block = std::gcd(whole.view_.block, firstBin);
  const int64_t blocks = (bins_ + view_.block - 1) / view_.block, each = whole.view_.block / view_.block, before = firstBin / view_.block;
  keep_.resize(blocks);
  for (int64_t b = 0; b < blocks; ++b) {
    const int64_t of = (before + b) / each;
    keep_[b] = of < static_cast<int64_t>(whole.keep_.size()) ? whole.keep_[of] : 0;
  }
  view_.keep = keep_.data();
  view_.points = points;
}

FrequencyMask::Band FrequencyMask::band() const {
  if (view_.classes) return {0, 1};
  int64_t first = 0, end = static_cast<int64_t>(keep_.size());  // one is kept
  while (!keep_[first]) ++first;
  while (!keep_[end - 1]) --end;
  const auto part = [this](int64_t block) {
    return static_cast<double>(std::min(block * view_.block, bins_)) / static_cast<double>(bins_);
  };
  return {part(first), part(end)};
}

std::string FrequencyMask::explainBegin() const {
  return std::string("{\"kind\":\"") + (view_.classes ? "classes" : "blocks") +
         "\",\"block\":" + std::to_string(view_.block) + ",\"bins\":" + std::to_string(bins_) +
         ",\"keptBins\":" + std::to_string(keptBins_) + ",\"zeros\":" + numberText(zeros());
}

}  // namespace ffc
