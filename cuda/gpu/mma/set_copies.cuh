// How the rows of a set travel between device memory and the staging slots of the driver for sets of one channel
// (uniform.cuh): by tensor copies, which zero what lies beyond the batch on the way in and leave it out on the way out.
//
// Whole aligned rows: one thread moves a set by one copy, and slots have the layout that staging.cuh describes (below 1024
// points rows n1 of 32 or 64 bytes, swizzled within as many).
//
// Any others of more than N / 2 samples: a row of L samples has p.wholeParts whole rows n1 and some samples
// more. The map that all whole ones share ends after them; the rest is a copy of its own, whose map ends with the
// row. So a tile is moved by a few copies, which one lane of a warp of its own orders. In the slot, the tile's
// whole rows n1 come first (as many lines as there are, not 16, for each 64 samples), then what is left of the row, then
// the rows n1 that do not exist: zeros once and for all, which last() keeps.
//
// Aligned rows at radix 1 (tilesTravelTogether) have all tiles of a set in these copies, ordered by one thread: 2 to 5 % quicker. Then the
// slot has the whole rows n1 of all tiles, tile after tile, then what is left of the rows of all tiles, then the zeros of all, and how far it
// is from tile to tile depends on which of these a lane reads (tileOffset). Radix 2 has no registers for that. Rows that begin anywhere,
// with as many words more, had 1 to 2 % less time in float16, but 2 % more in bfloat16 and 3 to 5 % more in the accurate class.
//
// Tensor copies take 16 aligned bytes or leave them. A row that begins anywhere (p.headParts) is fetched from the 16 bytes
// on in which it begins, which shifts it by its phase, the samples between; the ring shifts the result alike. The last
// dimension of a map is therefore not the channel but the multiple of 16 bytes where its rows begin (those of the batch must
// have the same phase). The neighbours' samples that come along are cleared by a warp that waits for them, an interval
// before first() reads them. Of y whole pieces of 16 bytes leave by tensor copies, but those of n1 = 0, which therefore has a
// place and a copy of its own: stores cannot begin a piece late (a coordinate below zero is an illegal instruction). These go
// out by plain stores, and the samples before and after whole pieces one by one.
#pragma once
#include "phases.cuh"

namespace ffc::mma {

// A set: the rows of one channel from set * rowsPerSet on.
struct SetPosition {
  int channel, set;
};

template <class C, RowShape shape>
struct TensorCopies : Phases<C> {
  using Base = Phases<C>;
  using Base::R, Base::p, Base::warp, Base::lane, Base::staging;
  using Place = typename Staging<C>::Place;
  static constexpr RowShape rowShape = shape;
  static constexpr bool partial = shape != RowShape::whole, wraps = shape == RowShape::wrapping;
  static constexpr bool mayTrim = wraps || shape == RowShape::anywhere;
  static constexpr int barrierCount = C::uniformSlots + C::buffers;
  // Of a row n1 of all sequences of a tile.
  static constexpr int partBytes = R * stagingBytes / 16, tileBytes = 16 * partBytes;
  static constexpr bool tilesTogether = tilesTravelTogether(shape, R);
  u32 barriers;
  u32 oneTile, twoTiles;  // of partial rows, if tilesTogether: this lane's way to the next tile and to the one after that

  FFC_DEVICE TensorCopies(const Params& params, int thread) : Base(params, thread), barriers(staging.barriers) {
    if constexpr (partial) {
      Base::upperRows = 8 + Base::g < parts() ? 0xffffffffu : 0;
      if constexpr (tilesTogether) findTileOffsets();
    }
  }

  // One group of barriers for the first run of the block, one for the run with exact scales.
  FFC_DEVICE void prepareCopies() {
    // Not where rows are scaled: the code came out 0.5 to 0.9 % slower with it.
    if (!C::rowScaled && threadIndex() == 0) {
      prefetchMap(&p.maps.u);
      prefetchMap(&p.maps.y);
    }
    staging.initBarriers((C::rowScaled ? 2 : 1) * barrierCount);
    if constexpr (partial) {
      const int slots = C::uniformSlots + (C::gated ? C::buffers : 0);  // of u and of the first gate
      for (u32 end = placeOf(16); end <= slots * staging.slotBytes; end += placeOf(16))
        for (u32 at = end - placeOf(16 - parts()) + threadIndex() * 16; at < end; at += threads * 16)
          sharedStore16(staging.base + at, uint4{0, 0, 0, 0});
      blockSync();  // several warps order copies that arrive at the barriers
    } else {
      warpSync();  // the thread that has made them orders the copies; racecheck takes the warp's uniform store for another's
    }
  }
  FFC_DEVICE void beginCopies(bool exact) { barriers = staging.barriers + (exact ? barrierCount * 8 : 0); }

  // Rows n1 that have samples.
  FFC_DEVICE int parts() const { return p.wholeParts + p.restParts; }

  // Of each sequence, one after the other, these rows n1 come first.
  FFC_DEVICE int headParts() const { return mayTrim ? p.headParts : 0; }
  FFC_DEVICE int leadingParts() const { return partial ? p.wholeParts - headParts() : 16; }

  // Samples of a row n1 of one sequence.
  FFC_DEVICE int log2Part() const { return (R > 1 ? 5 : 4) + p.log2N2; }
  // Rows n1 that have a place of their own: `place` is n1 but for that of n1 = 0, which comes right after those that share a copy.
  FFC_DEVICE u32 placeOf(int place) const { return (tilesTogether ? p.tilesPerSet : 1) * partBytes * place; }
  FFC_DEVICE int firstPlace() const { return p.wholeParts - 1; }
  // Piece `column` of a tile's row n1 there.
  FFC_DEVICE u32 pieceAt(int place, int tile, int column) const {
    return placeOf(place) + tile * (tilesTogether ? partBytes : tileBytes) + column * 16;
  }
  // A sample of the first row n1 or of the rest, which are not swizzled.
  FFC_DEVICE u32 plainAt(int tile, int sequence, int sample) const {
    const int n1 = sample >> log2Part(), inPart = sample & ((1 << log2Part()) - 1);
    return pieceAt(n1 ? n1 : firstPlace(), tile, 0) + ((sequence << log2Part()) + inPart) * 2;
  }
  // Samples between a multiple of 16 bytes and the beginning of each row of the channel: of all tensors the same.
  FFC_DEVICE int phaseOf(int channel) const { return rowPhase(p.u, channel); }

  // This lane's row of the staged samples (n1, n3l) of this warp at n3h = b.
  FFC_DEVICE u32 fragmentAt(int b) const {
    if (!partial && (R > 1 || p.log2N2 >= 2)) return staging.fragment(0, b);
    const int log2N2 = p.log2N2, sequence = warp >> log2N2;
    const int n1 = (lane >> 3 & 1) * 8 + (lane & 7), column = 2 * R * warp + 2 * b + (lane >> 4);
    const int inRow = column - ((2 * R * sequence) << log2N2);            // piece of row n1 of the sequence
    const int rowPieces = (2 * R) << log2N2, pieces = rowPieces < 8 ? rowPieces : 8;  // of a line
    const int head = headParts(), whole = partial ? p.wholeParts : 16;
    const int line = (sequence * (rowPieces / pieces) + inRow / pieces) * (whole - head) + n1 - head;
    if (n1 >= head && n1 < whole) {
      const u32 at = (line * pieces + (inRow & (pieces - 1))) * 16;
      return at ^ (at >> 3 & ((pieces - 1) << 4));
    }
    if (n1 == 0) return pieceAt(firstPlace(), 0, column);
    return pieceAt(n1, 0, n1 < parts() ? column : column ^ (line & 7));
  }
  // What a tile has before fragmentAt(), and before the lines of its sequences.
  FFC_DEVICE u32 tileOffset(int tile) const {
    if constexpr (!partial || !tilesTogether) return tile * tileBytes;
    if constexpr (C::uniformTiles <= 2) return tile * oneTile;
    return (tile & 1) * oneTile + (tile >> 1) * twoTiles;
  }
  FFC_DEVICE u32 linesOfTile(int tile) const { return tile * (tilesTogether ? partBytes * leadingParts() : tileBytes); }
  // Lines of 128 bytes are swizzled by their number modulo eight. A tile has four for each row n1, so where these are odd in number, every
  // second tile's pieces lie in the other half of a line.
  FFC_DEVICE void findTileOffsets() {
    const int n1 = (lane >> 3 & 1) * 8 + (lane & 7);
    const bool shared = n1 < p.wholeParts;
    oneTile = shared ? linesOfTile(1) : partBytes;
    twoTiles = 2 * oneTile;
    if (shared && log2Part() >= 6 && p.wholeParts % 2) oneTile += fragmentAt(0) & 64 ? -64 : 64;
  }

  // ---- warps have tasks of their own, or the busiest one would keep the others waiting: at most one of a tile each.
  static constexpr int orderWarp = partial ? 4 : 0, pieceWarp = 8, edgeWarp = 12, watchWarp = partial ? 1 : warps - 1;

  // ---- copies of what this thread has to order of a set: all of it, or a tile.
  FFC_DEVICE int orderedTile() const { return tilesTogether ? 0 : warp - orderWarp; }
  FFC_DEVICE bool orders() const {
    return lane == 0 && u32(warp - orderWarp) < u32(tilesTogether ? 1 : p.tilesPerSet);
  }
  FFC_DEVICE bool ordersFirst() const { return threadIndex() == orderWarp * 32; }
  FFC_DEVICE u32 bytesOfSet() const { return partial ? p.tilesPerSet * partBytes * parts() : staging.slotBytes; }
  // whole(place, row) for the rows n1 that share a copy, rest(place, sample, row) for the samples from there on.
  template <class Whole, class Rest>
  FFC_DEVICE void forBoxes(u32 slot, SetPosition at, bool head, Whole&& whole, Rest&& rest) const {
    const int row = at.set * staging.rowsPerSet;
    if constexpr (!partial) {
      whole(slot, row);
    } else {
      const u32 to = slot + orderedTile() * tileBytes;
      const int first = row + (orderedTile() << staging.log2Sequences);
      whole(to, first);
      // A box has at most 256 samples; a row n1 of more belongs to the only sequence of its tile.
      const auto part = [&](int n1, int place) {
        rest(to + placeOf(place), n1 << log2Part(), first);
        if (R > 1 && log2Part() > 8) rest(to + placeOf(place) + 512, (n1 << log2Part()) + 256, first);
      };
      if (head) part(0, firstPlace());
      for (int n1 = p.wholeParts; n1 < parts(); n1++) part(n1, n1);
    }
  }
  // Samples of each row of the channel that come round behind the others, as imaginary parts.
  FFC_DEVICE int wrapped(int channel) const { return phaseOf(channel) + p.length - (16 << log2Part()); }
  // Where they begin, in the row `batch` of the channel.
  FFC_DEVICE char* wrappedOf(const Rows& rows, int batch, int channel) const {
    return const_cast<char*>(rows.data) + batch * rows.batchStride + channel * rows.channelStride + (p.length - wrapped(channel)) * 2;
  }

  // The last coordinate of a copy.
  FFC_DEVICE int coordinateOf(const Rows& rows, int channel) const {
    return partial ? int(rowStart(rows, channel) >> 4) : channel;
  }
  // Two maps end where rows end: those of a greater phase have a piece more.
  FFC_DEVICE const void* restMap(const unsigned char* map, const unsigned char* longer, int channel) const {
    return mayTrim && phaseOf(channel) + ((p.length - 1) & 7) > 7 ? longer : map;
  }
  FFC_DEVICE void loadTensor(u32 slot, const Rows& rows, const void* map, const void* rest, SetPosition from, u32 barrier) const {
    const int at = coordinateOf(rows, from.channel);
    forBoxes(
        slot, from, headParts(), [&](u32 to, int b) { tensorLoad(to, map, b, at, barrier); },
        [&](u32 to, int sample, int b) { tensorLoadRest(to, rest, sample, b, at, barrier); });
  }
  FFC_DEVICE void load(int set, Place to, SetPosition from) const {
    if (!orders()) return;
    const bool gate = C::gated && p.pre.data;
    const u32 barrier = barriers + to.slot * 8;
    if (ordersFirst()) barrierExpect(barrier, bytesOfSet() * (gate ? 2 : 1));
    loadTensor(staging.slotOf(to), p.u, p.maps.u, restMap(p.rests.u, p.longRests.u, from.channel), from, barrier);
    if (gate)
      loadTensor(staging.slotOfPre(set), p.pre, p.maps.pre, restMap(p.rests.pre, p.longRests.pre, from.channel), from, barrier);
  }
  FFC_DEVICE u32 postBarrier(int set) const { return barriers + (C::uniformSlots + (set & 1)) * 8; }
  FFC_DEVICE void loadPost(int set, SetPosition from) const {
    if (!orders() || !p.post.data) return;
    const u32 barrier = postBarrier(set);
    if (ordersFirst()) barrierExpect(barrier, bytesOfSet());
    loadTensor(staging.slotOfPost(set), p.post, p.maps.post, restMap(p.rests.post, p.longRests.post, from.channel), from, barrier);
  }
  FFC_DEVICE void store(u32 slot, SetPosition to) const {
    if (!orders()) return;
    const int at = coordinateOf(p.y, to.channel);
    forBoxes(
        slot, to, false, [&](u32 from, int b) { tensorStore(from, &p.maps.y, b, at); },
        [&](u32 from, int sample, int b) { tensorStoreRest(from, &p.rests.y, sample, b, at); });
  }
  // The outputs that store() leaves: the pieces of n1 = 0 but the first, a lane each; the samples before and after whole pieces, at
  // most 8 and 14 of a row.
  FFC_DEVICE bool storesEdges() const { return trims() && warp >= pieceWarp && (warp & 3) < p.tilesPerSet; }
  FFC_DEVICE void storeEdges(u32 slot, SetPosition to) const {
    const int tile = warp & 3;
    const int phase = phaseOf(to.channel);
    const int first = to.set * staging.rowsPerSet + (tile << staging.log2Sequences);
    char* const rows = const_cast<char*>(p.y.data) + first * p.y.batchStride + to.channel * p.y.channelStride - phase * 2;
    if (warp < edgeWarp) {
#pragma unroll
      for (int column = lane; column < 32 * R; column += 32) {
        const int sequence = column >> (log2Part() - 3), piece = column & ((1 << (log2Part() - 3)) - 1);
        if (piece > 0 && first + sequence < p.batch)
          storeStream16(rows + sequence * p.y.batchStride + piece * 16, sharedLoad16(slot + pieceAt(firstPlace(), tile, column)));
      }
      return;
    }
    const int sample = lane < 8 ? lane : (p.outLength & ~7) + lane - 8;  // shifted
    if (lane >= 24 || sample < phase || sample >= phase + p.outLength || sample >> (log2Part() + 4)) return;
    const u32 at = slot + plainAt(tile, 0, sample);
    for (int sequence = 0; sequence >> staging.log2Sequences == 0 && first + sequence < p.batch; sequence++) {
      const u32 word = sharedLoad4((at & ~3u) + (sequence << log2Part()) * 2);
      reinterpret_cast<uint16_t*>(rows + sequence * p.y.batchStride)[sample] = uint16_t(word >> (at & 2) * 8);
    }
  }
  // Samples of other rows that the copies of a set have brought along become zeros: before the barrier that separates them from
  // first(), by warps that wait for them. A lane has one sample of the piece in which a row begins, or of that in which it ends, of
  // every other sequence of the warp's tile.
  FFC_DEVICE bool trims() const { return mayTrim && p.headParts; }
  FFC_DEVICE bool trimsTile() const { return trims() && u32(warp - edgeWarp) < u32(p.tilesPerSet); }
  FFC_DEVICE void trim(int set, Place at, SetPosition from) const {
    if (!trimsTile()) return;
    await(at);
    const int phase = phaseOf(from.channel), end = phase + p.length, tail = end & ~7, sample = lane & 7;
    const bool behind = lane & 8, inRow = tail >> (log2Part() + 4) == 0;
    const bool wanted = behind ? inRow && sample >= (end & 7) : sample < phase;
    for (int sequence = lane >> 4; sequence >> staging.log2Sequences == 0; sequence += 2) {
      const u32 offset = plainAt(warp & 3, sequence, (behind ? tail : 0) + sample);
      if (!wanted) continue;
      sharedStore2(staging.slotOf(at) + offset, 0);
      if (C::gated && p.pre.data) sharedStore2(staging.slotOfPre(set) + offset, 0);
    }
  }
  // What this thread has stored has left shared memory; has arrived in device memory.
  FFC_DEVICE void awaitStoresRead() const {
    if (orders()) tensorStoresRead();
  }
  FFC_DEVICE void awaitStores() const {
    if (orders()) tensorStoresDone();
  }
  FFC_DEVICE void await(Place at) const { barrierWait(barriers + at.slot * 8, at.parity); }
  FFC_DEVICE void awaitPost(int set) const {
    if (C::gated && p.post.data) barrierWait(postBarrier(set), set >> 1 & 1);
  }
};

}  // namespace ffc::mma
