// The way of the samples between device memory and the staging slots in shared memory, and what is known of each
// row on its way: its addresses, its largest value, the exponent of its channel's spectrum.
//
// A slot of one tile is a matrix of 16 rows n1 by 32 R pieces of 16 bytes (8 samples): piece column
// 2 R w + 2 n3h + (n3l / 8), where w is the warps' digit. Eight columns by 16 rows make 2 KB; within them the column
// is XORed with the row, so that ldmatrix and 16-byte copies are free of bank conflicts. That is also what a tensor
// map with 128-byte swizzle writes. Packed samples have 32 rows, those of the second window after those of the first.
//
// Each thread owns R pieces of every tile: it stores y from them and then refills them, so no barrier is needed
// between the two. Rows may begin anywhere. Where there is room for it, a row is shifted to the right by its phase,
// the number of samples it begins past a 16-byte boundary (the ring shifts the result alike), so that u, gates and y
// are accessed in aligned pieces; a tensor out of phase with u takes the narrow way.
#pragma once
#include "config.h"
#include "device.cuh"
#include "params.h"

namespace ffc::mma {

// 2^e; 0 below the normal range, clipped above it.
FFC_DEVICE float powerOfTwo(int e) { return e < -126 ? 0.0f : asFloat(u32((e > 127 ? 127 : e) + 127) << 23); }

template <class C>
FFC_DEVICE float2 unpackElements(u32 x) {
  if constexpr (C::bf16)
    return {asFloat(x << 16), asFloat(x & 0xffff0000u)};
  else
    return unpackHalf(x);
}

// A power of two given by its float bits, twice as bfloat16.
FFC_DEVICE u32 bfloatPair(u32 floatOfPower) { return floatOfPower | floatOfPower >> 16; }

// Samples to half operands.
template <class C>
FFC_DEVICE void prepare(u32 (&u)[4], u32 scale) {
  if constexpr (C::bf16) {
#pragma unroll
    for (int i = 0; i < 4; i++) {
      const float2 v = unpackElements<C>(bfloatMul(u[i], bfloatPair(scale)));
      u[i] = packHalf(v.x, v.y);
    }
  }
}
template <class C>
FFC_DEVICE void prepareUnscaled(u32 (&u)[4]) {
  if constexpr (C::bf16) {
#pragma unroll
    for (int i = 0; i < 4; i++) {
      const float2 v = unpackElements<C>(u[i]);
      u[i] = packHalf(v.x, v.y);
    }
  }
}
// Products with the gate; `rest` is what rounding them to halves leaves.
template <class C>
FFC_DEVICE void prepareGated(u32 (&u)[4], u32 (&rest)[4], const u32 (&gate)[4], bool gated, u32 scale) {
  const float f = asFloat(scale);
#pragma unroll
  for (int i = 0; i < 4; i++) {
    float2 v = unpackElements<C>(u[i]);
    if (gated) {
      const float2 w = unpackElements<C>(gate[i]);
      v.x *= w.x, v.y *= w.y;
    }
    v.x *= f, v.y *= f;
    u[i] = packHalf(v.x, v.y);
    if constexpr (C::splitProduct) {
      const float2 rounded = unpackHalf(u[i]);
      rest[i] = packHalf(v.x - rounded.x, v.y - rounded.y);
    }
  }
}

FFC_DEVICE float skipLoad(const void* skip, int channel, int type) {
  if (type == 1) return static_cast<const float*>(skip)[channel];
  const u32 bits = static_cast<const uint16_t*>(skip)[channel];
  return type == 2 ? unpackHalf(bits).x : asFloat(bits << 16);
}

// The exponent of a channel's spectrum after d has been added to every frequency of it.
template <class C>
FFC_DEVICE int exponentWithSkip(int own, float d) {
  const int needed = d == 0.0f ? own : int((floatBits(d) >> 23) & 255) - 126 - spectrumWindow<C>().high;
  // Where the spectrum has no exponent of its own, a small d needs none either.
  return needed > own ? needed : own;
}

// Eight samples from an address that is not a multiple of 16, `first` being the index of the first of them in a row
// of `length`. Outside the row: zero, or before a periodic one its end.
FFC_DEVICE uint4 gatherSamples(const char* row, int first, int length, bool periodic) {
  const uint64_t at = reinterpret_cast<uint64_t>(row) + int64_t(first) * 2;
  u32 w[8];
  if (first >= 8 && first + 16 <= length) {
    // Both 16-byte pieces that it touches lie in the row.
    const uint4 low = loadStream16(reinterpret_cast<const void*>(at & ~uint64_t(15)));
    const uint4 high = loadStream16(reinterpret_cast<const void*>((at & ~uint64_t(15)) + 16));
    const u32 v[8] = {low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w};
    const u32 shift = u32(at & 15);
#pragma unroll
    for (int i = 0; i < 6; i++) w[i] = shift & 8 ? v[i + 2] : v[i];
#pragma unroll
    for (int i = 0; i < 5; i++) w[i] = shift & 4 ? w[i + 1] : w[i];
#pragma unroll
    for (int i = 0; i < 4; i++) w[i] = funnelShift(w[i], w[i + 1], (shift & 2) * 8);
  } else {
    const uint16_t* samples = reinterpret_cast<const uint16_t*>(row);
#pragma unroll
    for (int i = 0; i < 4; i++) {
      w[i] = 0;
#pragma unroll
      for (int half = 0; half < 2; half++) {
        int n = first + 2 * i + half;
        if (periodic && n < 0) n += length;
        if (n >= 0 && n < length) w[i] |= u32(samples[n]) << (16 * half);
      }
    }
  }
  return uint4{w[0], w[1], w[2], w[3]};
}

// Eight samples of a row to shared memory, zeros outside the row; to a register; from a register, nothing outside.
FFC_DEVICE void fillPiece(u32 target, uint64_t row, int first, int length, bool periodic) {
  const uint64_t at = row + int64_t(first) * 2;
  if (first >= 0 && first + 8 <= length && (at & 15) == 0)
    copyAsync16(target, reinterpret_cast<const void*>(at));
  else if (first >= length || first + 8 <= 0)
    sharedStore16(target, uint4{0, 0, 0, 0});
  else
    sharedStore16(target, gatherSamples(reinterpret_cast<const char*>(row), first, length, periodic));
}
FFC_DEVICE uint4 gatherPiece(uint64_t row, int first, int length) {
  const uint64_t at = row + int64_t(first) * 2;
  if (first >= 0 && first + 8 <= length && (at & 15) == 0) return loadStream16(reinterpret_cast<const void*>(at));
  if (first >= length || first + 8 <= 0) return uint4{0, 0, 0, 0};
  return gatherSamples(reinterpret_cast<const char*>(row), first, length, false);
}
FFC_DEVICE void drainPiece(uint4 v, uint64_t row, int first, int length) {
  const uint64_t at = row + int64_t(first) * 2;
  if (first >= 0 && first + 8 <= length && (at & 15) == 0) {
    storeStream16(reinterpret_cast<void*>(at), v);
  } else {
    uint16_t* samples = reinterpret_cast<uint16_t*>(row);
    const u32 w[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
    for (int i = 0; i < 8; i++) {
      const int n = first + i;
      if (n >= 0 && n < length) samples[n] = uint16_t(w[i >> 1] >> (16 * (i & 1)));
    }
  }
}

// Whether the spectra have no exponents, and none comes from a skip term: then no output needs a power of two. For all
// threads of the block.
template <class C>
FFC_DEVICE bool withoutExponents(const Params& p) {
  if (C::rowScaled || p.skip) return false;
  bool any = false;
  for (int i = threadIndex(); i < (p.sharedSpectrum ? 1 : p.channels); i += threads) any |= p.exponent[i] != 0;
  return !blockAny(any);
}

// Where the rows of a channel begin, in bytes from the multiple of 16 on before the tensor.
FFC_DEVICE uint64_t rowStart(const Rows& rows, int channel) {
  return (reinterpret_cast<uint64_t>(rows.data) & 15) + int64_t(channel) * rows.channelStride;
}
// Samples between such a multiple and the row.
FFC_DEVICE int rowPhase(const Rows& rows, int channel) {
  return int((u32(reinterpret_cast<uint64_t>(rows.data)) + u32(channel) * u32(rows.channelStride)) >> 1 & 7);
}
// Of a piece of eight samples, those from `from` up to `to`: the mask of its i-th word.
FFC_DEVICE u32 keptSamples(int i, int from, int to) {
  return (2 * i >= from && 2 * i < to ? 0xffffu : 0u) | (2 * i + 1 >= from && 2 * i + 1 < to ? 0xffff0000u : 0u);
}

template <class C>
struct Staging {
  static constexpr int R = C::R;
  // From the rows of the first window to those of the second; from eight columns to the next; from tile to tile.
  static constexpr int windowBytes = 2048, columnsBytes = 2048 * C::windows, tileBytes = R * stagingBytes * C::windows;
  // Packed: samples from one row of the slot to the next. Where tensor copies serve, segments begin at such a part.
  static constexpr int partSamples = 256 * R, log2PartSamples = R == 1 ? 8 : R == 2 ? 9 : 10;
  FFC_DEVICE u32 sequenceBytes() const { return (512 * R << p.log2N2) * C::windows; }
  static constexpr int rowTensors = C::gated ? 4 : 2;  // u, y, pre, post
  const Params& p;
  int firstTile, sets;
  u32 base, end;     // slots
  u32 slotBytes;     // of one set and tensor
  u32 rows;          // row tables: addresses [tensor][ring][row], then largest values, then exponents
  int rowsPerSet, log2Sequences, lastTile;
  u32 barriers;
  // Whole rows: sets of whole channels; the first of the channels left over, and the place of this block's rows among theirs.
  int wholeSets, restChannel, restBegin;
  bool maps;
  bool plain = false;  // outputs need no power of two: set by the driver
  int lead;     // load() runs so many sets ahead of middle()
  u32 owned[C::R <= 2 ? C::R : 1];  // this thread's pieces, packed by piece()

  FFC_DEVICE explicit Staging(const Params& params) : p(params) {
    const int tiles = p.tiles, count = gridSize(), me = blockIndex();
    firstTile = int(int64_t(tiles) * me / count);
    lastTile = int(int64_t(tiles) * (me + 1) / count);
    sets = (lastTile - firstTile + tilesPerSet() - 1) / tilesPerSet();
    if constexpr (C::wholeRows) {
      const int channels = p.channels / count, rest = (p.channels - channels * count) * p.batch;
      wholeSets = channels * p.batch;
      restChannel = channels * count;
      restBegin = int(int64_t(rest) * me / count);
      sets = wholeSets + int(int64_t(rest) * (me + 1) / count) - restBegin;
    }
    log2Sequences = C::oneTile ? 0 : 4 - p.log2N2;
    rowsPerSet = tilesPerSet() << log2Sequences;
    slotBytes = tilesPerSet() * tileBytes;
    maps = C::oneTile || (hasTensorCopies && p.useMaps && !p.headParts);  // those of long_rows.cuh are for whole rows' code
    lead = slots() > C::buffers ? slots() - 1 : C::buffers;
    base = sharedBase();
    end = base + slotBytes * (slots() + C::buffers * (stagesPre() + stagesPost()));
    barriers = end + C::buffers * tilesPerSet() * R * C::blockBytes + C::twiddleBytes + C::ringBytes;
    rows = barriers + barrierBytes;
    if constexpr (C::R <= 2)
      for (int r = 0; r < R; r++) owned[r] = packedPiece(threadIndex() + r * threads);
  }

  // Two exchange buffers of radix 4 leave room for two slots.
  FFC_DEVICE int slots() const {
    if constexpr (C::oneTile && C::residentBlocks > 0) return 1;
    if (C::wholeRows) return C::buffers == 2 && R >= 4 ? 2 : p.slots;
    return C::longRows && p.headParts ? C::buffers : p.slots;
  }
  // The samples have a gate.
  FFC_DEVICE bool multiplies() const {
    if constexpr (C::onlyFirstGate || C::onlyLastGate) return C::onlyFirstGate;
    return C::gated && p.pre.data;
  }
  FFC_DEVICE int tilesPerSet() const { return C::oneTile ? 1 : p.tilesPerSet; }

  // Whole rows: blocks take channels in turn, so that all blocks together read neighbouring rows; what is left over is shared
  // out row by row.
  struct Position {
    int channel, row;
  };
  FFC_DEVICE Position positionOf(int set) const {
    const bool whole = set < wholeSets;
    const int index = whole ? set : set - wholeSets + restBegin, channel = channelOf(index);
    const int first = whole ? blockIndex() : restChannel;
    return {first + channel * (whole ? gridSize() : 1), index - channel * p.batch};
  }
  FFC_DEVICE bool stagesPre() const { return C::gated && (p.pre.data || p.bothGates); }
  FFC_DEVICE bool stagesPost() const { return C::gated && !C::gateAtStore && (p.post.data || p.bothGates); }

  // Before the first barrier of the block, which makes them visible.
  FFC_DEVICE void initBarriers(int count) const {
    if (threadIndex() == 0)
      for (int i = 0; i < count; i++) barrierInit(barriers + i * 8);
  }

  // Piece i of a tile in the order of device memory: sequence (4 bits), piece within it (12), place in the slot (12).
  FFC_DEVICE u32 packedPiece(int i) const {
    const int bits = C::oneTile ? 4 : p.log2N2;
    const int sequence = (i >> (5 + bits)) / R;
    const int inSequence = i - ((sequence * R) << (5 + bits));
    const int n1 = (inSequence >> (1 + bits)) / R;
    const int column = inSequence - ((n1 * R) << (1 + bits)) + ((sequence * R) << (1 + bits));
    const int place = (column >> 3) * (columnsBytes / 16) + n1 * 8 + ((column ^ n1) & 7);
    return u32(sequence) << 24 | u32(inSequence) << 12 | u32(place);
  }
  FFC_DEVICE u32 piece(int r) const {
    if constexpr (C::R <= 2) return owned[r];
    return packedPiece(threadIndex() + r * threads);
  }

  // A set on its way around the staging slots: which slot, and the parity of the slot's barrier. Sets advance one slot
  // at a time, so nothing is divided by the number of slots.
  struct Place {
    int slot;
    u32 parity;
  };
  FFC_DEVICE Place following(Place at) const {
    const bool wraps = at.slot + 1 == slots();
    return {wraps ? 0 : at.slot + 1, at.parity ^ wraps};
  }
  FFC_DEVICE u32 slotOf(Place at) const { return base + slotBytes * at.slot; }
  FFC_DEVICE u32 slotOfPre(int set) const { return base + slotBytes * (slots() + u32(set) % C::buffers); }
  FFC_DEVICE u32 slotOfPost(int set) const { return slotOfPre(set) + (stagesPre() ? slotBytes * C::buffers : 0); }

  // Within a slot: the address of this lane's row for the 16 x 16 samples (n1, n3l) of this warp at n3h = b.
  FFC_DEVICE u32 fragment(int tile, int b) const {
    u32 thread = threadIndex();
    if constexpr (C::oneTile && C::residentBlocks > 0) keepInRegister(thread);  // see Phases::renewAddresses()
    const int lane = thread & 31, warp = thread >> 5, row = lane & 7, matrix = lane >> 3;
    const int column = 2 * R * warp + 2 * b + (matrix >> 1);
    return tile * tileBytes + (column >> 3) * columnsBytes + ((matrix & 1) * 8 + row) * 128 + ((column ^ row) & 7) * 16;
  }
  // The same from the one of b = 0, where a warp's columns are whole groups of eight.
  FFC_DEVICE static u32 fragmentAfter(u32 first, int b) { return (first ^ (b & 3) * 32) + (b >> 2) * columnsBytes; }

  // ---- row tables
  FFC_DEVICE u32 rowSlot(int set, int row) const { return (set & (rowRing - 1)) * rowsPerSet + row; }
  FFC_DEVICE u32 addressOf(int tensor, int set, int row) const {
    return rows + (tensor * rowRing * rowsPerSet + rowSlot(set, row)) * 8;
  }
  FFC_DEVICE u32 largestOf(int set, int row) const {
    return rows + (maps ? 0 : rowTensors * rowRing * rowsPerSet * 8) + rowSlot(set, row) * 4;
  }
  FFC_DEVICE u32 exponentOf(int set, int row) const { return largestOf(set, row) + rowRing * rowsPerSet * 4; }
  FFC_DEVICE u32 skipOf(int set, int row) const { return largestOf(set, row) + rowRing * rowsPerSet * 8; }
  // Packed: where in the row of the batch, which row, which channel.
  FFC_DEVICE u32 originOf(int set, int row) const { return largestOf(set, row) + rowRing * rowsPerSet * 12; }
  FFC_DEVICE u32 batchOf(int set, int row) const { return largestOf(set, row) + rowRing * rowsPerSet * 16; }
  FFC_DEVICE u32 channelAt(int set, int row) const { return largestOf(set, row) + rowRing * rowsPerSet * 20; }
  FFC_DEVICE uint64_t rowAddress(int tensor, int set, int row) const { return sharedLoad8(addressOf(tensor, set, row)); }

  // Address 0 marks a row that does not exist.
  FFC_DEVICE void prepareRows(int set) {
    const int row = threadIndex();
    if (row >= rowsPerSet || (maps && plain && !C::packed)) return;
    if constexpr (C::rowScaled) sharedStore4(largestOf(set, row), 0);
    const int tile = firstTile + set * tilesPerSet() + (row >> log2Sequences);
    const int sequence = (tile << log2Sequences) + (row & ((1 << log2Sequences) - 1));
    const bool exists = C::wholeRows ? set < sets : tile < lastTile && sequence < p.batch * p.channels;
    const int h = !exists ? 0 : C::wholeRows ? positionOf(set).channel : channelOf(sequence), own = exists ? sequence - h * p.batch : 0;
    const int b = C::packed ? own / p.segments : own;
    if constexpr (C::packed) {
      sharedStore4(originOf(set, row), u32((own - b * p.segments) * p.step - p.history));
      sharedStore4(batchOf(set, row), u32(b));
      sharedStore4(channelAt(set, row), u32(h));
      if (maps && plain) return;
    }
    copyAsync4(exponentOf(set, row), p.exponent + (p.sharedSpectrum ? 0 : h), 4);
    if (!C::oneTile && p.skip) {
      // The word that holds the skip factor, and no byte beyond the factor.
      const uint64_t at = skipAddress(h);
      copyAsync4(skipOf(set, row), reinterpret_cast<const void*>(at & ~uint64_t(3)), p.skipType == 1 || at & 2 ? 4 : 2);
    }
    if (maps) return;
    auto note = [&](int tensor, const Rows& t) {
      const uint64_t at = reinterpret_cast<uint64_t>(t.data) + int64_t(b) * t.batchStride + int64_t(h) * t.channelStride;
      sharedStore8(addressOf(tensor, set, row), exists && t.data ? at : 0);
    };
    note(0, p.u);
    note(1, p.y);
    if constexpr (C::gated) {
      note(2, p.pre);
      note(3, p.post);
    }
  }

  FFC_DEVICE int channelOf(int sequence) const {
    return p.batchMagic ? int(highProduct(sequence, p.batchMagic) >> p.batchShift) : sequence;
  }

  FFC_DEVICE uint64_t skipAddress(int h) const {
    return reinterpret_cast<uint64_t>(p.skip) + int64_t(h) * (p.skipType == 1 ? 4 : 2);
  }

  // Whether outputs at this position are to be stored.
  FFC_DEVICE bool isOutput(int position) const { return !C::packed || u32(position - p.history) < u32(p.step); }

  FFC_DEVICE int phaseOf(uint64_t rowOfU) const { return p.phased ? int(rowOfU >> 1) & 7 : 0; }

  FFC_DEVICE void fill(u32 target, uint64_t row, int first, int length, bool periodic) const {
    if (C::packed && periodic && first <= -8) first += length;
    fillPiece(target, row, first, length, C::packed && periodic);
  }
  FFC_DEVICE void drain(u32 source, uint64_t row, int first) const {
    if (first < p.outLength && first + 8 > 0) drainPiece(sharedLoad16(source), row, first, p.outLength);
  }

  // gateAtStore: from the unscaled sums that last() has left to outputs. Eight values of the gate, which may begin anywhere.
  FFC_DEVICE uint4 gateOf(uint64_t post, int first) const {
    const uint64_t at = post + int64_t(first) * 2;
    if (first >= 0 && first + 8 <= p.outLength && (at & 15) == 0) return loadStream16(reinterpret_cast<const void*>(at));
    return gatherSamples(reinterpret_cast<const char*>(post), first, p.outLength, false);
  }
  FFC_DEVICE uint4 gatedOutputs(u32 at, uint4 gate, float scale) const {
    const uint4 sums = sharedLoad16(at), left = C::splitOutputs ? sharedLoad16(at - windowBytes) : sums;
    const u32 s[4] = {sums.x, sums.y, sums.z, sums.w}, r[4] = {left.x, left.y, left.z, left.w};
    const u32 f[4] = {gate.x, gate.y, gate.z, gate.w};
    u32 out[4];
#pragma unroll
    for (int i = 0; i < 4; i++) {
      float2 v = unpackHalf(s[i]);
      if constexpr (C::splitOutputs) {
        const float2 w = unpackHalf(r[i]);
        v.x += w.x, v.y += w.y;
      }
      v.x *= scale, v.y *= scale;
      if (p.post.data) {
        const float2 w = unpackElements<C>(f[i]);
        v.x *= w.x, v.y *= w.y;
      }
      out[i] = C::bf16 ? packBfloat(v.x, v.y) : packHalf(v.x, v.y);
    }
    return uint4{out[0], out[1], out[2], out[3]};
  }
  // A warp takes the groups of columns that it fills again, eight lanes a line of 128 bytes, half of them at a time: what is
  // asked for together is on its way together.
  FFC_DEVICE void storeGated(int set, u32 slot) const {
    constexpr int rounds = 8, together = 4;
    // Otherwise what follows from it is kept from set to set, in local memory.
    u32 ofWarp = threadIndex() & 31;
    keepInRegister(ofWarp);
    const int lane = int(ofWarp);
    forWarpCopies(set, [&](int b, int h, int part, int group, u32 offset) {
      const auto rowOf = [&](const Rows& t) {
        return reinterpret_cast<uint64_t>(t.data) + int64_t(b) * t.batchStride + int64_t(h) * t.channelStride;
      };
      const float scale = asFloat(sharedLoad4(exponentOf(set, int(offset / tileBytes))));
#pragma unroll
      for (int g = 0; g < C::copyGroups; g++)
#pragma unroll
        for (int half = 0; half < rounds; half += together) {
          uint4 gate[together];
          const auto positionOf = [&](int i) {
            return ((lane >> 3) + 4 * (half + i)) * partSamples + (group + g) * 64 + (lane & 7) * 8;
          };
          const auto wanted = [&](int i) {
            return isOutput(positionOf(i)) && u32(part * partSamples + positionOf(i)) < u32(p.outLength);
          };
#pragma unroll
          for (int i = 0; i < together; i++) {
            gate[i] = uint4{0, 0, 0, 0};
            if (p.post.data && wanted(i))
              gate[i] = loadStream16(reinterpret_cast<const void*>(rowOf(p.post) + int64_t(part * partSamples + positionOf(i)) * 2));
          }
#pragma unroll
          for (int i = 0; i < together; i++) {
            if (!wanted(i)) continue;
            const int row = (lane >> 3) + 4 * (half + i);
            const u32 at = slot + offset + g * columnsBytes + row * 128 + ((lane ^ row) & 7) * 16;
            storeStream16(reinterpret_cast<void*>(rowOf(p.y) + int64_t(part * partSamples + positionOf(i)) * 2),
                          gatedOutputs(at, gate[i], scale));
          }
        }
    });
    warpSync();  // one lane lets the next samples in
  }
  // The gate that storeGated() will want an interval later, on its way into the second-level cache: a line a lane.
  FFC_DEVICE void prefetchGate(int set) const {
    forWarpCopies(set, [&](int b, int h, int part, int group, u32) {
      const int position = (threadIndex() & 31) * partSamples + group * 64, first = part * partSamples + position;
      if (isOutput(position) && u32(first) < u32(p.outLength))
        prefetch(p.post.data + int64_t(b) * p.post.batchStride + int64_t(h) * p.post.channelStride + int64_t(first) * 2);
    });
  }

  // This thread's pieces: the addresses of their rows of u and of `tensor`, the sample there, the position in the sequence, the
  // place in the slot. A tile of packed samples is one row.
  template <class Body>
  FFC_DEVICE void forPieces(int set, int tensor, Body&& body) const {
#pragma unroll 1
    for (int tile = 0; tile < p.tilesPerSet; tile++) {
      uint64_t u = 0, other = 0;
      int origin = 0;
      auto look = [&](int row) {
        u = rowAddress(0, set, row);
        other = tensor ? rowAddress(tensor, set, row) : u;
        origin = (C::packed ? int(sharedLoad4(originOf(set, row))) : 0) - phaseOf(u);
      };
      if constexpr (C::packed) look(tile);
#pragma unroll
      for (int r = 0; r < R; r++) {
        const u32 packed = piece(r);
        if constexpr (!C::packed) look((tile << log2Sequences) + int(packed >> 24));
#pragma unroll
        for (int w = 0; w < C::windows; w++) {
          const int position = int(packed >> 12 & 4095) * 8 + w * R * tilePoints;
          body(u, other, origin + position, position, tile * tileBytes + (packed & 4095) * 16 + w * windowBytes);
        }
      }
    }
  }

  // y of a set lies where the input was that first() consumed at the same time.
  FFC_DEVICE void store(int set, Place at) const {
    if (set < 0 || set >= sets) return;
    const u32 slot = slotOf(at);
    if (maps) {
      if constexpr (C::gateAtStore) return storeGated(set, slot);
      forCopies(set, [&](int b, int h, int part, int group, u32 offset) {
        if constexpr (C::packed) {
          // Only the parts to be stored, which are contiguous here within a group.
          const int skipped = p.history >> log2PartSamples;
#pragma unroll
          for (int g = 0; g < C::copyGroups; g++)
            tensorStorePart(slot + offset + g * columnsBytes + skipped * 128, &p.maps.y, part + skipped, group + g, b, h);
        } else {
          tensorStore(slot + offset, &p.maps.y, b, h);
        }
      });
      return;
    }
    forPieces(set, 1, [&](uint64_t, uint64_t y, int first, int position, u32 offset) {
      if (!y || !isOutput(position)) return;
      if constexpr (C::gateAtStore) {
        if (first >= p.outLength || first + 8 <= 0) return;
        const int row = int(offset / tileBytes);
        const uint4 gate = p.post.data ? gateOf(rowAddress(3, set, row), first) : uint4{0, 0, 0, 0};
        drainPiece(gatedOutputs(slot + offset, gate, asFloat(sharedLoad4(exponentOf(set, row)))), y, first, p.outLength);
      } else {
        drain(slot + offset, y, first);
      }
    });
  }

  FFC_DEVICE void load(int set, Place at) const {
    if (set >= sets) return;
    const u32 slot = slotOf(at), slotPre = slotOfPre(set);
    const bool gate = multiplies();
    if (maps) {
      const u32 barrier = barriers + at.slot * 8;
      if (threadIndex() == 0) barrierExpect(barrier, sequencesOf(set) * sequenceBytes() * (1 + gate));
      forCopies(set, [&](int b, int h, int part, int group, u32 offset) {
        tensorStoresRead();  // y has left this slot
        tensorLoadPart(slot + offset, &p.maps.u, part, group, b, h, barrier);
        if (gate) tensorLoadPart(slotPre + offset, &p.maps.pre, part, group, b, h, barrier);
      });
      return;
    }
    forPieces(set, gate ? 2 : 0, [&](uint64_t u, uint64_t pre, int first, int, u32 offset) {
      if (!u) {
        // Zeros, because sequences of one tile meet in one matrix product (with zero weights, but 0 * NaN is NaN).
        sharedStore16(slot + offset, uint4{0, 0, 0, 0});
        if (gate) sharedStore16(slotPre + offset, uint4{0, 0, 0, 0});
        return;
      }
      fill(slot + offset, u, first, p.length, p.periodic);
      if (gate) fill(slotPre + offset, pre, first, p.length, p.periodic);
    });
  }
  FFC_DEVICE void loadPost(int set) const {
    if constexpr (C::gated) {
      if (set >= sets || !p.post.data) return;
      if constexpr (C::gateAtStore) {
        if (maps) prefetchGate(set);
        return;
      }
      const u32 slot = slotOfPost(set);
      if (maps) {
        const u32 barrier = barriers + (slots() + u32(set) % C::buffers) * 8;
        if (threadIndex() == 0) barrierExpect(barrier, sequencesOf(set) * sequenceBytes());
        forCopies(set, [&](int b, int h, int part, int group, u32 offset) {
          tensorLoadPart(slot + offset, &p.maps.post, part, group, b, h, barrier);
        });
        return;
      }
      forPieces(set, 3, [&](uint64_t u, uint64_t post, int first, int position, u32 offset) {
        if (u && isOutput(position)) fill(slot + offset, post, first, p.outLength, false);
      });
    }
  }
  // This thread's copies have landed, those of others after the next barrier. Tensor copies are waited for at use.
  FFC_DEVICE void finishLoads() const {
    // Where tensor copies bring everything and no row has a scale, nothing else is under way.
    if (!(C::oneTile && !C::rowScaled)) copyAsyncWaitAll();
    if (maps) fenceTensorCopies();
  }
  FFC_DEVICE void finishStores() const {
    if (maps) tensorStoresDone();
  }
  FFC_DEVICE void awaitInput(int set, Place at) const {
    if (maps && set < sets) barrierWait(barriers + at.slot * 8, at.parity);
  }
  FFC_DEVICE void awaitPost(int set) const {
    if (maps && stagesPost()) barrierWait(barriers + (slots() + u32(set) % C::buffers) * 8, set / C::buffers & 1);
  }

  // Existing sequences of a set; tensor copies are used only where tiles are full.
  FFC_DEVICE int sequencesOf(int set) const {
    if constexpr (C::oneTile) return 1;
    const int left = lastTile - firstTile - set * p.tilesPerSet;
    return (left < p.tilesPerSet ? left : p.tilesPerSet) << log2Sequences;
  }
  // Each warp takes what has its number, with one lane or with all: a sequence (at most 16 a set where tensor copies are
  // used), or of packed samples some groups of columns of one.
  template <class Body>
  FFC_DEVICE void forCopies(int set, Body&& body) const {
    if constexpr (C::wholeRows) {
      if (threadIndex()) return;
      const Position at = positionOf(set);
      body(at.row, at.channel, 0, 0, 0);
      return;
    }
    if ((threadIndex() & 31) == 0) forWarpCopies(set, static_cast<Body&&>(body));
  }
  template <class Body>
  FFC_DEVICE void forWarpCopies(int set, Body&& body) const {
    const int warp = threadIndex() >> 5;
    constexpr int copies = C::packed ? 4 * R / C::copyGroups : 1;  // of a sequence
    const int inSet = C::oneTile ? 0 : warp / copies;
    if (inSet >= sequencesOf(set)) return;
    if constexpr (C::packed) {
      // Looked up: with the divisions here, each warp spent a seventh of its instructions on them at radix 4.
      const int group = warp % copies * C::copyGroups, part = int(sharedLoad4(originOf(set, inSet))) >> log2PartSamples;
      body(int(sharedLoad4(batchOf(set, inSet))), int(sharedLoad4(channelAt(set, inSet))), part, group,
           inSet * tileBytes + group * columnsBytes);
    } else {
      const int sequence = ((firstTile + set * p.tilesPerSet) << log2Sequences) + inSet;
      const int h = channelOf(sequence);
      const u32 tile = inSet >> log2Sequences, inTile = inSet & ((1 << log2Sequences) - 1);
      body(sequence - h * p.batch, h, 0, 0, tile * tileBytes + inTile * sequenceBytes());
    }
  }

  // The largest |u * pre| of every row, as the upper half of its float bits, which order like integers. Each thread
  // looks at the pieces it copied itself; the pieces of one warp lie in one row.
  FFC_DEVICE void findScale(int set, Place at) const {
    if constexpr (C::rowScaled) {
      if (set >= sets) return;
      awaitInput(set, at);
      const u32 slot = slotOf(at), slotPre = slotOfPre(set);
      constexpr int most = C::mostTiles * R;
      u32 largest[most], own = threadIndex();
      if constexpr (C::wholeWindows) keepInRegister(own);  // as in storeGated()
      const auto place = [&](int r) { return C::wholeWindows ? packedPiece(int(own) + r * threads) : piece(r); };
      if constexpr (C::wholeWindows) {
        // Products in halves, a third of the work of those in floats: enough for a power of two where they neither overflow
        // nor lose digits.
        u32 pair = 0;
#pragma unroll
        for (int i = 0; i < 2 * R; i++) {
          const u32 offset = (place(i / 2) & 4095) * 16 + i % 2 * windowBytes;
          const uint4 v = sharedLoad16(slot + offset);
          u32 u[4] = {v.x, v.y, v.z, v.w};
          if (multiplies()) {
            const uint4 q = sharedLoad16(slotPre + offset);
            const u32 f[4] = {q.x, q.y, q.z, q.w};
#pragma unroll
            for (int j = 0; j < 4; j++) u[j] = halfMul(u[j], f[j]);
          }
#pragma unroll
          for (int j = 0; j < 4; j++) pair = largestHalves(pair, u[j]);
        }
        const u32 bits = warpMax(largerOf(pair & 0xffffu, pair >> 16));
        constexpr u32 least = 0x1400, infinity = 0x7c00;  // 2^-10
        if (!multiplies() || (bits >= least && bits < infinity)) {
          if ((own & 31) == 0) sharedMax(largestOf(set, 0), floatBits(unpackHalf(bits).x) >> 16);
          return;
        }
      }
#pragma unroll
      for (int i = 0; i < most; i++) {
        largest[i] = 0;
        if (i / R >= tilesPerSet()) continue;
#pragma unroll
        for (int w = 0; w < C::windows; w++) {
          const u32 offset = i / R * tileBytes + (place(i % R) & 4095) * 16 + w * windowBytes;
          largest[i] = largerOf(largest[i], largestOfPiece(slot + offset, slotPre + offset));
        }
      }
#pragma unroll
      for (int i = 0; i < most; i++) largest[i] = warpMax(largest[i]);
      if constexpr (C::packed) {
        // A lane for each tile, which is one row.
        u32 mine = 0;
#pragma unroll
        for (int i = 0; i < most; i++)
          if (int(threadIndex() & 31) == i / R) mine = largerOf(mine, largest[i]);
        if (int(threadIndex() & 31) < tilesPerSet()) sharedMax(largestOf(set, threadIndex() & 31), mine);
        return;
      }
#pragma unroll
      for (int i = 0; i < most; i++)
        if (i / R < p.tilesPerSet && (threadIndex() & 31) == 0)
          sharedMax(largestOf(set, (i / R << log2Sequences) + int(piece(i % R) >> 24)), largest[i]);
    }
  }
  FFC_DEVICE u32 largestOfPiece(u32 at, u32 atPre) const {
    const uint4 v = sharedLoad16(at);
    const u32 w[4] = {v.x, v.y, v.z, v.w};
    u32 largest = 0;
    if (C::gated && p.pre.data) {
      const uint4 q = sharedLoad16(atPre);
      const u32 f[4] = {q.x, q.y, q.z, q.w};
#pragma unroll
      for (int j = 0; j < 4; j++) {
        const float2 x = unpackElements<C>(w[j]), y = unpackElements<C>(f[j]);
        largest = largerOf(largest, largerOf(floatBits(x.x * y.x) & 0x7fffffffu, floatBits(x.y * y.y) & 0x7fffffffu));
      }
      return largest >> 16;
    }
#pragma unroll
    for (int j = 0; j < 4; j++) largest = largerHalves(largest, w[j] & 0x7fff7fffu);
    largest = largerOf(largest & 0xffffu, largest >> 16);
    return C::bf16 ? largest : floatBits(unpackHalf(largest).x) >> 16;
  }
  FFC_DEVICE static u32 largerOf(u32 a, u32 b) { return a > b ? a : b; }

  // Exponent of the power of two that brings the row's maximum into [64, 128).
  FFC_DEVICE int inputExponent(u32 largest) const {
    if constexpr (!C::rowScaled) return 0;
    const int e = 133 - int(sharedLoad4(largest) >> 7);
    return e < -126 ? -126 : e;
  }
  // The float bits of what brings the sums of each row of a set back; once the set's scale is known, before its last().
  FFC_DEVICE void finishRows(int set) const {
    const int row = threadIndex();
    if (row >= rowsPerSet || plain) return;
    int e = int(sharedLoad4(exponentOf(set, row)));
    if (!C::oneTile && p.skip) {
      const u32 word = sharedLoad4(skipOf(set, row));
      float d = asFloat(word);
      if (p.skipType != 1) {
        const int channel = channelOf(((firstTile + set * p.tilesPerSet) << log2Sequences) + row);
        const u32 bits = skipAddress(channel) & 2 ? word >> 16 : word & 0xffffu;
        d = p.skipType == 2 ? unpackHalf(bits).x : asFloat(bits << 16);
      }
      e = exponentWithSkip<C>(e, d * p.spectrumGain);
    }
    sharedStore4(exponentOf(set, row), floatBits(powerOfTwo(e - inputExponent(largestOf(set, row)))));
  }
};

}  // namespace ffc::mma
