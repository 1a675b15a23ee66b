// See tensor_maps.h. A box of a map is what one copy moves; staging.cuh and set_copies.cuh have the layouts that it
// lands in.
#include "tensor_maps.h"

#include <cuda.h>
#include <cudaTypedefs.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace ffc::mma {
namespace {

// Of a tensor map: a row has so many parts of N / 16 samples, the n1 of a sequence or (packed) any number of them, and
// a box takes so many, and so many groups of 64 samples of each (0: all).
struct Parts {
  int64_t all = 16, box = 16, boxGroups = 0;
};

PFN_cuTensorMapEncodeTiled_v12000 encodeFunction() {
  static const PFN_cuTensorMapEncodeTiled_v12000 function = [] {
    void* found = nullptr;
    cudaDriverEntryPointQueryResult result;
    if (cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &found, 12000, cudaEnableDefault, &result) !=
            cudaSuccess ||
        result != cudaDriverEntryPointSuccess) {
      cudaGetLastError();  // an older driver: plain copies serve
      found = nullptr;
    }
    return reinterpret_cast<PFN_cuTensorMapEncodeTiled_v12000>(found);
  }();
  return function;
}

struct Map {
  std::array<int64_t, 5> size, stride, box;  // elements; bytes, from the second dimension on; elements
};
CUtensorMapSwizzle swizzleOf(int64_t samples) {
  return samples == 64 ? CU_TENSOR_MAP_SWIZZLE_128B : samples == 32 ? CU_TENSOR_MAP_SWIZZLE_64B : CU_TENSOR_MAP_SWIZZLE_32B;
}
bool encode(unsigned char* to, char* data, const Map& m, int rank, CUtensorMapSwizzle swizzle) {
  cuuint64_t size[5], stride[5];
  cuuint32_t box[5], step[5];
  if (reinterpret_cast<uintptr_t>(data) % 16) return false;
  for (int i = 0; i < rank; i++) {
    size[i] = cuuint64_t(m.size[i]), box[i] = cuuint32_t(m.box[i]), step[i] = 1;
    if (i == rank - 1) break;
    // A dimension of one row may have any stride; the encoder wants multiples of 16 below 2^40.
    stride[i] = m.size[i + 1] > 1 ? cuuint64_t(m.stride[i]) : 16;
    if (stride[i] % 16) return false;
  }
  CUtensorMap map;
  static_assert(sizeof(map) == 128);
  if (encodeFunction()(&map, CU_TENSOR_MAP_DATA_TYPE_UINT16, cuuint32_t(rank), data, size, stride, box, step,
                       CU_TENSOR_MAP_INTERLEAVE_NONE, swizzle, CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
                       CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE) != CUDA_SUCCESS)
    return false;
  std::memcpy(to, &map, sizeof(map));
  return true;
}

// A map of (64 samples, 16 n1, N / 1024, batch, channels), N the points of a slice, whose boxes of `rows` rows land in
// the order of a staging slot. Below 1024 points the samples of a row n1 are 32 or 16, and swizzled within as many
// bytes.
bool encode(const Choice& choice, unsigned char* to, const Rows& r, int64_t batch, int64_t channels, int rows, Parts parts = {}) {
  const int64_t N = choice.points / choice.instance->slices, samples = std::min<int64_t>(64, N / 16), groups = std::max<int64_t>(1, N / 1024);
  const Map map{{samples, parts.all, groups, batch, channels},
                {N / 8, 128, r.batchStride, r.channelStride},
                {samples, parts.box, parts.boxGroups ? parts.boxGroups : groups, rows, 1}};
  return encode(to, const_cast<char*>(r.data), map, 5, swizzleOf(samples));
}

int64_t past16(const Rows& r) { return reinterpret_cast<uintptr_t>(r.data) % 16; }
int64_t rowStarts(const Rows& r, int64_t channels) { return ((channels - 1) * r.channelStride + 14) / 16 + 1; }

// That they are coordinates, which have 31 bits.
bool hasStarts(const Rows& r, int64_t channels) { return r.channelStride >= 0 && channels * r.channelStride < int64_t{1} << 34; }

// A map of rows that begin anywhere, in the layout of whole ones: the first `lines` sixteenths of N points (`part` samples), in boxes of so many
// of them and of so many groups of 64 samples.
bool encodeLines(unsigned char* to, const Rows& r, int64_t batch, int64_t channels, int64_t part, int64_t lines, int64_t boxLines, int64_t boxGroups) {
  const Map map{{64, lines, part / 64, batch, rowStarts(r, channels)}, {part * 2, 128, r.batchStride, 16}, {64, boxLines, boxGroups, 1, 1}};
  return encode(to, const_cast<char*>(r.data) - past16(r), map, 5, swizzleOf(64));
}

// Tensor copies of rows that may begin anywhere: those of a channel, and of all tensors, begin at the same phase.
// `anywhere`: not all at multiples of 16 bytes.
bool samePhases(const Params& p, int64_t channels, bool& anywhere) {
  anywhere = p.length % 8 != 0;
  for (const Rows* r : {&p.u, &p.y, &p.pre, &p.post}) {
    if (!r->data) continue;
    anywhere |= past16(*r) || (channels > 1 && r->channelStride % 16);
    if (past16(*r) != past16(p.u) || (channels > 1 && (r->channelStride - p.u.channelStride) % 16)) return false;
    if (!hasStarts(*r, channels)) return false;
  }
  return true;
}

}  // namespace

bool encodesMaps() { return encodeFunction() != nullptr; }

bool encodeWhole(const Choice& choice, Params& p, int64_t batch, int64_t channels, int rows) {
  return encode(choice, p.maps.u, p.u, batch, channels, rows) && encode(choice, p.maps.y, p.y, batch, channels, rows) &&
         (!p.pre.data || encode(choice, p.maps.pre, p.pre, batch, channels, rows)) &&
         (!p.post.data || encode(choice, p.maps.post, p.post, batch, channels, rows));
}

// Whole rows, 64 samples of each n1 a copy.
bool encodeColumns(const Choice& choice, Params& p, int64_t batch, int64_t channels) {
  return encode(choice, p.rests.u, p.u, batch, channels, 1, {16, 16, 1}) && encode(choice, p.rests.y, p.y, batch, channels, 1, {16, 16, 1});
}

// Rows of the long order that do not fill their transform (long_rows.cuh). Maps of u, y: of the groups with a line
// more, of the others; of y the first group is one of its own.
bool encodeLong(const Choice& choice, Params& p, int64_t batch, int64_t channels) {
  const int64_t part = choice.points / 16, groups = part / 64;
  bool anywhere = false;
  if (p.length != p.outLength || p.length <= choice.points / 2 || !samePhases(p, channels, anywhere)) return false;
  p.wholeParts = int32_t(p.length / part);
  p.longGroups = int32_t(p.length % part / 64);
  p.headParts = 1;
  p.wraps = p.length + 7 > choice.points;
  const auto encodeGroups = [&](unsigned char* to, const Rows& r, int64_t lines, int64_t boxLines, int64_t boxGroups) {
    return encodeLines(to, r, batch, channels, part, lines, boxLines, boxGroups);
  };
  const int64_t lines = p.wholeParts, longer = p.longGroups, second = std::max<int64_t>(1, longer);
  return (!longer || encodeGroups(p.maps.u, p.u, lines + 1, 16, longer)) && encodeGroups(p.rests.u, p.u, lines, 16, groups - longer) &&
         encodeGroups(p.longRests.y, p.y, lines + (longer > 0), 15, 1) &&
         (second < 2 || encodeGroups(p.maps.y, p.y, lines + 1, 16, second - 1)) &&
         encodeGroups(p.rests.y, p.y, lines, 16, groups - second);
}

// Partial rows (set_copies.cuh): a map of the whole rows n1, and those of the samples that are left.
bool encodePartial(const Choice& choice, Params& p, int64_t batch, int64_t channels, int rowsPerSet) {
  // Up to N / 2 samples a shorter transform serves, and the device keeps no more than half of the rows n1 at zero.
  if (p.length != p.outLength || p.length <= choice.points / 2) return false;
  bool anywhere = false;
  if (!samePhases(p, channels, anywhere)) return false;
  // Eight samples behind a ring that begins at a multiple of 16 bytes: all that comes round has room for (uniform/wrapped.cuh).
  const int64_t beyond = std::max<int64_t>(0, p.length - choice.points);
  if (beyond > (anywhere ? 0 : 8)) return false;
  p.wraps = beyond > 0 || (anywhere && p.length + 7 > choice.points);
  if (p.wraps && !choice.instance->setsOf(RowShape::wrapping)) return false;
  const PartialRows rows(p.length - beyond, choice.points, anywhere);
  p.wholeParts = int32_t(rows.whole), p.headParts = int32_t(rows.head), p.restParts = int32_t(rows.rest);
  const int64_t rowsOfCopy = tilesTravelTogether(partialShapeOf(p), choice.instance->radix) ? rowsPerSet : 16 >> choice.log2N2;
  const int64_t part = choice.points / 16, samples = std::min<int64_t>(64, part), groups = std::max<int64_t>(1, part / 64);
  const auto encodeRows = [&](const Rows& r, unsigned char* whole, unsigned char* rest, unsigned char* longer) {
    if (!r.data) return true;
    char* const begin = const_cast<char*>(r.data) - past16(r);
    const int64_t count = rowStarts(r, channels);
    const auto encodeRest = [&](unsigned char* to, int64_t until) {
      const Map map{{until, batch, count}, {r.batchStride, 16}, {std::min<int64_t>(256, part), rowsOfCopy, 1}};
      return encode(to, begin, map, 3, CU_TENSOR_MAP_SWIZZLE_NONE);
    };
    const int64_t shared = rows.whole - rows.head;  // rows n1 of one copy
    const Map map{{samples, shared, groups, batch, count}, {part * 2, 128, r.batchStride, 16}, {samples, shared, groups, rowsOfCopy, 1}};
    return encode(whole, begin + rows.head * part * 2, map, 5, swizzleOf(samples)) &&
           encodeRest(rest, longer ? rows.samples : rows.stored) && (!longer || encodeRest(longer, rows.longerSamples));
  };
  return encodeRows(p.u, p.maps.u, p.rests.u, p.longRests.u) && encodeRows(p.y, p.maps.y, p.rests.y, nullptr) &&
         encodeRows(p.pre, p.maps.pre, p.rests.pre, p.longRests.pre) &&
         encodeRows(p.post, p.maps.post, p.rests.post, p.longRests.post);
}

// Inputs come in boxes of 2N samples, zero outside their rows; y leaves in boxes of the outputs that are right.
bool encodePacked(const Choice& choice, Params& p, int64_t batch, int64_t channels) {
  const int64_t part = choice.points / 16;
  if (p.periodic || p.length % part || p.outLength % part || p.history % part || p.step % part) return false;
  const int groups = choice.instance->copyGroups;
  const Parts in = {p.length / part, 32, groups}, out = {p.outLength / part, 32, groups};
  const Parts stored = {p.outLength / part, p.step / part, 1};
  return encode(choice, p.maps.u, p.u, batch, channels, 1, in) && encode(choice, p.maps.y, p.y, batch, channels, 1, stored) &&
         (!p.pre.data || encode(choice, p.maps.pre, p.pre, batch, channels, 1, in)) &&
         (!p.post.data || encode(choice, p.maps.post, p.post, batch, channels, 1, out));
}

// In slices: sixteenths of a part in boxes of a whole part, zero outside their rows. Only u comes by tensor copies. Whole rows, with
// gates in aligned pieces; or (headParts) rows that do not fill their slices or begin anywhere, see SlicedStaging::loadParted().
bool encodeSliced(const Choice& choice, Params& p, int64_t batch, int64_t channels) {
  const int64_t part = choice.points / choice.instance->slices / 16;
  p.headParts = 0;
  const auto aligned = [](const Rows& r) {
    return reinterpret_cast<uintptr_t>(r.data) % 16 == 0 && r.batchStride % 16 == 0 && r.channelStride % 16 == 0;
  };
  const bool whole = p.length % part == 0 && aligned(p.u);
  // Gates of whole rows are read without looking at their ends.
  const bool gatesEnd = choice.instance->gated && p.outLength != choice.points;
  if (choice.instance->halves > 1 || (whole && p.length == choice.points && !gatesEnd))
    return whole && aligned(p.pre) && aligned(p.post) && encode(choice, p.maps.u, p.u, batch, channels, 1, {p.length / part, 16, 0});
  if (!p.phased || !hasStarts(p.u, channels)) return false;
  const int64_t groups = part / 64;
  p.wholeParts = int32_t(p.length / part), p.longGroups = int32_t(p.length % part / 64), p.headParts = 1;
  const auto encodeGroups = [&](unsigned char* to, int64_t lines, int64_t boxGroups) {
    return encodeLines(to, p.u, batch, channels, part, lines, 16, boxGroups);
  };
  return (!p.longGroups || encodeGroups(p.maps.u, p.wholeParts + 1, p.longGroups)) && encodeGroups(p.rests.u, p.wholeParts, groups - p.longGroups);
}

}  // namespace ffc::mma
