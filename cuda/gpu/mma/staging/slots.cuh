// Where samples are staged: the slots of a set, the pieces of them that a thread owns, and which rows a block works on.
#pragma once
#include "../config.h"
#include "../device.cuh"
#include "../params.h"

namespace ffc::mma {

template <class C>
struct StagingSlots {
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
  // Whole rows: sets of whole channels; the first of the channels left over, and the place of this block's rows among
  // theirs.
  int wholeSets, restChannel, restBegin;
  bool maps;
  bool plain = false;  // outputs need no power of two: set by the driver
  int lead;     // load() runs so many sets ahead of middle()
  u32 owned[C::R <= 2 ? C::R : 1];  // this thread's pieces, packed by piece()

  FFC_DEVICE explicit StagingSlots(const Params& params) : p(params) {
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

  // Whole rows: blocks take channels in turn, so that all blocks together read neighbouring rows; what is left over is
  // shared out row by row.
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

  FFC_DEVICE int channelOf(int sequence) const {
    return p.batchMagic ? int(highProduct(sequence, p.batchMagic) >> p.batchShift) : sequence;
  }
};

}  // namespace ffc::mma
