// Every tile number of the fused tensor-core convolution, with its reason. Host and device read the same ones.
#pragma once
#include <cstdint>

#include "params.h"

namespace ffc::mma {

// A block of threads is 16 warps because the two outer digits n1 and k1 have radix 16, the side of an mma
// operand: warp w owns one value of the digit that is not being contracted. 16 warps also leave each thread 128
// registers, which holds all the constant fragments of the short transforms.
constexpr int warps = 16, threads = warps * 32;

// One tile holds 4096 * radix points: n1 (16) by the 16 warps' digit by n3h (radix) by n3l (16).
constexpr int tilePoints = 4096;
// Bytes of one tile per unit of radix: 16-bit samples, and complex halves between the phases.
constexpr int stagingBytes = tilePoints * 2, exchangeBytes = tilePoints * 4;

// Row addresses and scales of the sets in flight: a set is prepared three intervals ahead of its first and
// stored two after its last phase, six in all; a power of two makes the slot a mask.
constexpr int rowRing = 8;

// Barriers of the tensor copies: one for each staging slot of u and of the post gate, twice where a run may begin again.
constexpr int barrierBytes = 128;

// Of transforms in slices: the barrier of the samples, one in two halves before and one after the outer phases, four row maxima, eight
// samples that come round, and 9 x 8 that tensor copies leave of a row (sliced_staging.cuh).
constexpr int sliceBarrierBytes = 64 + 144;

enum class Element { float16, bfloat16 };

// Frequency-sparse transforms: at most so many of the 16 values of k1 have a kept frequency.
constexpr int fewDigits = 8;

template <int radix_, bool pairwise_, Element element_, bool accurate_, bool gated_, bool packed_ = false, int slices_ = 1,
          bool sparse_ = false, int halves_ = 1>
struct Config {
  // R: radix of the middle digit n3h, a butterfly between registers.
  static constexpr int R = radix_;
  // False only where the warps' digit separates sequences and nothing else (N = 256 R): no contraction over it.
  static constexpr bool pairwise = pairwise_;
  static constexpr bool bf16 = element_ == Element::bfloat16;
  // Float accumulators and twiddle products instead of halves.
  static constexpr bool accurate = accurate_;
  static constexpr bool gated = gated_;
  // Packed: a sequence is two windows of a row, N samples each, one after the other: z_n = a_n + i a_(n + N). In the
  // ring x^N = i that is 2N real samples, of which a short kernel leaves most outputs valid (overlap-save).
  static constexpr bool packed = packed_;
  static constexpr int windows = packed ? 2 : 1;
  // A sequence of `slices` * 4096 R points is transformed in so many turns: turn k0 computes the frequencies k0 mod `slices`,
  // which are a transform of 4096 R points (sliced_body.cuh).
  static constexpr int slices = slices_;
  // A row is so many sequences, one after the other, in one ring each (sliced_body.cuh): y0 = u0 k0, y1 = u1 k0 + u0 k1 with the
  // spectra of both segments of the kernel. Fast, ungated.
  static constexpr int halves = halves_;
  static_assert(halves == 1 || (slices > 1 && !accurate && !gated && !sparse_));
  // Radices 1 and 2 in slices are for filter banks' rings alone. What transforms of so few points keep in registers for good is another
  // slice's with each turn, so there they do not.
  static constexpr bool oneSet = slices == 1;  // of tables
  // All of 32768 points at once took as long as two slices of them or longer; a few of their digits take less.
  static_assert(R < 8 || sparse_);
  // Two slices in the accurate class: the samples are products of the last matrices with what the exchange holds of both slices, so
  // that what is kept of the first are halves without another rounding.
  static constexpr bool unfoldByMatrix = slices == 2 && accurate;
  // Results of all slices but the last, or what they will be made of: complex halves.
  static constexpr int resultPieces = R * 2;  // of 16 bytes a thread, for each slice
  static constexpr int resultBytes = (slices - 1) * resultPieces * 16 * threads;
  static constexpr bool resultsInShared = slices == 2;
  // Products of a first half with the second half of its kernel wait for the second half, in the order of a spectrum.
  static constexpr int crossBytes = halves > 1 ? slices * R * exchangeBytes : 0;
  static constexpr int scratchBytes = (resultsInShared ? 0 : resultBytes) + crossBytes;  // of a block, in device memory
  // What blocks of four slices have waiting takes L2: samples and gates come straight from device memory, and the samples' lines leave first
  // (two slices were 1.5 % slower so, with gates 10 to 12 %). Of two halves, whose results and products are more than L2 holds, results stay
  // there before anything else. An only slice has nothing waiting, but 65536 samples with gates take 1.07 ms so for 1.18 (0.52 for 0.485 without).
  static constexpr bool samplesLeave = slices > 2 && (!sparse_ || gated), keptStays = halves > 1;
  // The parts of a sequence are folded into one slice by multiply-adds of halves, or (accurate) by matrices of their own.
  static constexpr bool foldByMatrix = slices > 1 && accurate;
  // The accurate class multiplies by floats where it can afford their bytes: four slices have room for the rounding of halves (5.9e-4
  // to 6.3e-4), with which the spectrum fits into the exchange buffer at once: 18.8 to 14.6 ms at 65536 points.
  static constexpr bool spectrumFloats = accurate && slices <= 2;
  // Only the fewDigits values of k1 in Params::digits are computed. Their real and imaginary parts fill the 16 rows of one
  // product, so that the outer phases take half as many, an exchange block is half as long, and two warps' tiles are in the
  // middle at once. N2 = 16, no skip term.
  static constexpr bool sparse = sparse_ && slices_ == 1;
  // In slices, a frequency-sparse transform leaves out all but the one with kept frequencies (Params::onlySlice). Two of four took as long as
  // all four, in the accurate class 1.5 times as long, whose code has fewer choices.
  static constexpr bool oneSlice = sparse_ && slices_ > 1;
  static constexpr int blockBytes = sparse ? exchangeBytes / 2 : exchangeBytes;  // an exchange block
  // Exchange blocks are laid out for speed between the phases; true: like the rows of a multi-pass scratch (multipass/tensor_params.h).
  static constexpr bool rowLayout = false;
  // Pieces of the spectrum without a kept frequency are zeros that are not read (rows of frequency-sparse passes).
  static constexpr bool somePieces = false;
  // Where the spectrum does not stay in registers, rows with a skip term have code of their own (AddsSkip), which adds it to each bin that
  // is used; elsewhere that is done once a channel, if there is one. Mostly that code is a kernel of its own. Long rows of float16 and with
  // gates have it beside the other: by itself that was slower (16384 points in float16 0.805 to 0.866 ms; with a term and gates 1.18 to 1.21).
  static constexpr bool skipKernel = R >= 3 && !packed && !sparse_ && (slices > 1 || accurate || (bf16 && !gated)), addsSkip = false;
  // Whole rows that fill tiles of their own, brought by tensor copies: see WholeRows.
  static constexpr bool wholeRows = false, partialRows = false;
  static constexpr bool wholeWindows = false;
  // Sequences in slices: see WholeSequences, and which instances have code for them. That code has one copy of the middle for
  // all slices, and orders the matrices of first() behind the middle instead of before its last stores (bfloat16: 12.0 ms so, 11.7 before).
  // So has the code for other rows of radix 4, but for two slices of the fast class (32767 samples: 1.35 ms with two copies, 1.39 with one).
  static constexpr bool wholeSequences = false, wholeCode = slices > 1 && R >= 3;
  static constexpr bool oneMiddle = wholeCode && R == 4 && (accurate || slices > 2) && !sparse_;
  static constexpr bool firstLate = oneMiddle && (accurate || !bf16);
  // The blocks of the spectrum that may lie in shared memory do.
  static constexpr bool alwaysResident = false;
  static constexpr bool pairedRing = false;  // see WholeRows
  static constexpr bool watchesRows = false;  // see UnscaledRows
  // Either: sets of one tile, by tensor copies.
  static constexpr bool oneTile = false;
  // Whether the samples and the outputs have a gate is known, see OnlyFirstGate and OnlyLastGate.
  static constexpr bool onlyFirstGate = false, onlyLastGate = false;
  // Tensor copies of packed samples: a warp has so many groups of 64 columns of a tile, which it stores and fills again, so
  // that copies in need not wait for the whole tile to be out. 16 warps, and 6, 3 or 1 tiles of 4 R groups.
  static constexpr int copyGroups = R == 4 ? 1 : 2;
  // Packed samples of radix 4 leave room for one gate. That of the outputs has no slot then: last() leaves the sums there as
  // halves, unscaled, and who stores them fetches the gate.
  static constexpr bool gateAtStore = packed && gated && R == 4;
  // The accurate class cannot afford that rounding: what it leaves goes into the first window, which then holds no outputs.
  static constexpr bool splitOutputs = gateAtStore && accurate;
  // bfloat16 reaches far outside the range of half, and so do products with a gate: each row is brought to a maximum
  // in [64, 128) by a power of two. 128 sqrt(32768) = 23170, the largest value a transform of a row can reach, and its
  // sums stay below 65504.
  static constexpr bool rowScaled = bf16 || gated;
  // Two exchange buffers let the three phases of successive sets run in one interval with one barrier. They do
  // not fit beside their staging slots from radix 6 on (2 * 96 KB), nor with gates from 3 on; in the accurate class two of
  // them at radix 4 took 4.2 ms where one takes 3.3. Packed samples need twice the slots, and one buffer with
  // twice the tiles between its barriers is faster: 0.344 against 0.354 ms at radix 1, 0.418 against 0.541 at radix 2.
  static constexpr int buffers = !packed && !sparse && slices == 1 && (R <= 2 || (R <= 4 && !accurate && !gated)) ? 2 : 1;
  // Tiles per set, if shared memory allows: as many sequences as fit between two barriers.
  static constexpr int mostTiles = slices > 1 ? 1 : packed ? (R == 1 ? 6 : R == 2 ? 3 : 1) : sparse ? 8 / R : R == 1 ? 4 : R == 2 ? 2 : 1;
  // Where no n2 tells the rows of a product over n3l apart, its twiddles depend on n3l and the warp's k1 alone: they are in the
  // matrix, which is complex then and each warp's own. Twice the mma of the half-cost form, but neither turns nor additions around
  // them, and what is left between the exchanges are two products and the spectrum.
  static constexpr bool ownMatrices = !pairwise;
  static_assert(!ownMatrices || (R == 1 && !packed && !sparse_ && slices == 1));
  // Forward and backward twiddles of the fast class: in registers while they fit beside everything else (16 of
  // 128 registers each at radix 2); beyond that in shared memory.
  static constexpr bool twiddleRegisters = !accurate && R <= 2 && !ownMatrices && oneSet;
  // Those twiddles are turns, three multiply-adds instead of four operations, as in the accurate class. Halves need a
  // tangent that does not grow: n3l is counted from its centre, which keeps the angles below a quarter turn. What that
  // leaves out is a phase of each k1 and k2, which the way back would take off again.
  static constexpr bool turned = twiddleRegisters;
  // Spectrum fragments of the current channel stay in registers while 8 R of them fit; beyond that each lane copies
  // its own from L2 into a ring of two pieces, ahead of their use. A lane reads only what it has copied itself, so the
  // ring needs no barrier. Radix 8 leaves no room for it, but half of its exchange does: 0.92 to 0.87 ms with 8 digits (radix 4
  // 0.37 to 0.40).
  static constexpr bool spectrumRegisters = (R == 1 && oneSet) || twiddleRegisters;
  static constexpr bool spectrumRing = !accurate && !spectrumRegisters && !packed && slices == 1 && (sparse ? R > 4 : R <= 4);
  // Rows of the long order (long_body.cuh) and of slices are scaled warp by warp, without waiting for a row's largest sample:
  // each warp of first() brings its own samples into range and notes by how much; middle() evens that out in its first matrix.
  static constexpr bool warpScaled = rowScaled && R >= 3 && !packed && !sparse;
  // Of few digits the second half of the warps has tiles of its own; where a set is one tile, it needs no ring.
  static constexpr int ringThreads = sparse && mostTiles == 1 ? 32 * fewDigits : threads;
  // Two sets of 16 exponents lie behind the ring, which the second segment of the kernel and its products have where rows have halves;
  // and a scale for each warp.
  static constexpr int ringBytes = (spectrumRing || halves > 1 ? 2 * 16 * ringThreads : 0) + (warpScaled ? (halves > 1 ? 192 : 128) : 0);
  // So do the first and last matrices (16 registers); otherwise they are fetched once per interval.
  static constexpr bool outerRegisters = (R == 1 && oneSet) || twiddleRegisters;
  // The way back has the transposed matrices and twiddles of the way there. Registers that hold them for good are transposed
  // in registers: every block reads its tables first, and all of them the same ones.
  static constexpr bool transposedTables = outerRegisters && !sparse;
  // Tiles whose phases the compiler may interleave. More hides latencies, but from radix 2 on the registers are full.
  static constexpr int unroll = (R == 1 && !accurate && oneSet) ? (bf16 || gated || packed ? 2 : 4) : 1;
  // The same where first and last have an interval of their own; with two buffers that is not the steady state.
  static constexpr int outerUnroll = buffers == 1 ? unroll : 1;
  // Fetch the operands of the outer phases before the middle's work hides their latency (16 registers).
  static constexpr bool fetchFirst = R == 1 && !accurate && !gated && !packed && oneSet;
  // Instances that also come with the driver for sets of one channel (uniform.cuh; it needs two exchange buffers): its tiles
  // per set, which must leave room for three slots and the gates' four, and those the compiler may interleave.
  static constexpr bool uniform = !packed && !sparse && slices == 1 && (R == 1 || (R == 2 && !(accurate && gated)));
  static constexpr int uniformTiles = gated ? (R == 1 ? 2 : 1) : accurate && R > 1 ? 1 : mostTiles;
  static constexpr int uniformUnroll = R == 1 && (!accurate || ownMatrices) ? (gated ? (ownMatrices ? 2 : 1) : accurate ? 2 : 4) : 1;
  static constexpr int uniformSlots = 3;
  // Where its turns come from, see TurnsInCache: for N2 below this power of two.
  static constexpr int cachedTurnsBelow = uniform && R == 1 && accurate && pairwise && !rowScaled ? 4 : 0;
  static constexpr bool turnsInCache = false, keepsTurns = R == 1 && !gated && oneSet;
  // How it finds rows that need a scale of their own: by their outputs instead of their samples.
  static constexpr bool watchesOutputs = uniform && bf16 && !gated && !accurate;
  // Its intervals end with a barrier in two halves: whole rows 1 to 9 % (float16 at 4096 points 0.2587 to 0.2525 ms, bfloat16 at 8192 points
  // 0.726 to 0.661), aligned ones likewise (8184 points 0.671 to 0.640 and 0.791 to 0.743; accurate 2 % slower). With gates it was 0 to 7 %
  // slower; rows that begin anywhere in float16 up to 3 %, at radix 2 5 to 12 by its registers.
  template <RowShape shape>
  static constexpr bool splitsIntervals = uniform && !gated && shape != RowShape::wrapping &&
                                          (shape == RowShape::whole || (shape == RowShape::aligned && (R == 1 || !accurate)) ||
                                           (R == 1 && (accurate || bf16)));
  // The next channel's spectrum comes into the registers before the old one's last interval ends, where it finds some free:
  // 256 points 0.0296 to 0.0268 ms, 1024 points 0.078 to 0.076.
  static constexpr bool spectrumAhead = uniform && R == 1 && !gated && (!accurate || !pairwise);
  // That driver's spectrum, where it is too large for registers, lies in shared memory if that leaves room for the rest: from
  // L2 its latency took a fifth of the time.
  static constexpr bool spectrumResident = uniform && accurate && R == 2;
  static constexpr int residentBytes = spectrumResident ? R * 2 * 2 * 16 * threads : 0;
  // The accurate class reads 128 KB of spectrum a tile at radix 4, the same for all rows of a channel. Shared memory has room for
  // some of the blocks n3h of it, where a block of threads has 227 KB (Params::residentAt); a lane reads what it has copied
  // itself, so no barrier is needed. Packed samples: two blocks, 1.20 to 1.07 ms. The fast class has room for all of it there,
  // but a second slot is worth more (0.80 ms against 0.86).
  static constexpr int residentBlocks = accurate && !rowScaled && R == 4 && slices == 1 && !sparse ? (packed ? 2 : 3) : 0;
  // Rows of the long order that do not fill their transform (long_rows.cuh): what tensor copies leave of two of them. Gates
  // would need as much again, which bfloat16 at radix 4 does not have. Beside a resident spectrum 224 bytes are left.
  static constexpr bool longRows = R >= 3 && !packed && !sparse && !gated && slices == 1;
  static constexpr int restBytes = longRows ? 160 : 0;
  // In the driver for sets of one channel a row that begins anywhere may, shifted by its phase, reach past N: what comes round
  // has a piece of shared memory for each sequence, and so has the first gate.
  static constexpr bool wraps = uniform;
  static constexpr int wrapPlane = uniformTiles * (pairwise ? 8 : 16) * 16, wrapBytes = wraps ? wrapPlane * (gated ? 2 : 1) : 0;
  static constexpr int residentBlockBytes = 2 * (accurate ? 2 : 1) * 16 * threads;
  // Shared memory: the 16 x 16 twiddles of every k1; and for the fast class from radix 5 on the powers of the steps over
  // n3h (per k1, 16 words a power) and over kb (16 words a power): products of products add up their errors, 2.0e-3
  // instead of 1.3e-3 at radix 8.
  // The accurate class has the first powers alone, as floats: 128 bytes a k1, and the turns over kb by one and (radix 4)
  // two steps.
  static constexpr bool powerTables = !accurate && !twiddleRegisters && (R > 4 || packed || sparse);
  // Twiddles of modulus 1 as turns, three multiply-adds of halves each, where a complex product takes four operations and
  // one more product for every next power: a quarter of the middle's arithmetic. Angles stay within a quarter of a turn, because
  // a phase that depends on the frequency alone cancels between the way there and the way back (see Phases::middle).
  static constexpr bool halfTurns = R == 4 && pairwise && !accurate && !packed && !sparse;
  static constexpr bool powerProducts = !accurate && R > 1 && !powerTables && !halfTurns;
  // Slices and scaled rows have no registers left for the first powers, or turns by one and two steps. They have them in shared
  // memory, but for the third of the steps over n3h, which alone would be too many bytes; it is a product of two. Turns over kb are
  // there in any case: on the way back four registers too many would be spilled.
  static constexpr bool turnTables = halfTurns && slices == 1;  // there are tables for turns in registers
  static constexpr bool turnRegisters = turnTables && !rowScaled;
  static constexpr int storedPowers = powerTables ? R - 1
      : (halfTurns && !turnRegisters) || (powerProducts && (slices > 1 || (R > 2 && rowScaled))) ? (R > 3 ? 2 : R - 1)
                                                                                           : 0;
  static constexpr int storedChain = halfTurns ? 2 : R - 1;
  static constexpr int imageBytes = ownMatrices ? 0 : accurate ? 32768 : twiddleRegisters ? 0 : 16384;
  static constexpr int powerBytes = accurate ? (R > 1 ? 2048 + 128 * (R / 2) : 0) : storedPowers || halfTurns ? 64 * (16 * storedPowers + storedChain) : 0;
  // The accurate class turns from the twiddles of this kb to those of the others: never by more than 15/32 of a turn.
  static constexpr int centre = (R - 1) / 2;
  // The long order: values of n3h by which the outer phases fetch their operands ahead.
  static constexpr int outerAhead = gated ? 0 : 1;
  // Where its outer matrices are fetched at the end of the middle; otherwise at their use. 16384 points: 1.70 against 1.82 ms in
  // float16, 1.96 against 1.91 in bfloat16, 2.76 against 2.72 in the accurate class.
  static constexpr bool outerEarly = gated || (!bf16 && !accurate);
  // The spectrum is waited for between the two halves of its use instead of before both: 1.70 against 1.73 ms in float16,
  // 2.03 against 1.96 in bfloat16.
  static constexpr bool spectrumLate = R >= 3 && !accurate && (!rowScaled || halves > 1);
  // The middle multiplies complex numbers by complex matrices: two mma more for 128 points, but no additions before and after,
  // which are two instructions each in floats: 2.87 to 2.77 ms at 16384 points in the general order. Where the code of
  // window_body.cuh runs, their registers cost more: 2.74 against 2.53 ms. In halves the shorter chains of the
  // half-cost form win, 1.71 against 1.77 ms and more.
  static constexpr bool fullProducts = R >= 3 && accurate && !packed && !sparse && slices == 1 && residentBlocks == 0;
  // After the spectrum come sums and differences of the products at +f and -f: the second product is added to the first, and the
  // difference is the sum less twice the first, ten operations for twelve. Float16 at 16384 points 1.578 to 1.565 ms, accurate 512 to
  // 8192 points 1 to 3 %.
  static constexpr bool summedSpectrum = accurate && !packed && (residentBlocks > 0 || uniform);
  // In the same way a half-cost product adds the second one's sums to the first one's in the accumulators, and what it needs of
  // their differences are multiply-adds: half of the additions. 2.63 to 2.59 ms; in halves waiting for the first product costs
  // more than they do (1.565 to 1.64 ms).
  static constexpr bool summedProducts = residentBlocks > 0 && !packed;
  // Steps over n3h within the butterfly's multiply-adds. At radix 2, and in four slices, they saved nothing.
  static constexpr bool steppedButterfly = accurate && R == 4 && slices <= 2;
  // Slices use each spectrum once. Between its operands and its results a warp's part of the exchange buffer is free, and
  // has just the size of its part of a spectrum of halves: the whole of it is on its way while the operands are transformed. Half of
  // a spectrum of floats at a time, the second half in the places of the first: two slices 7.7 ms at 32768 points, from memory 6.6.
  static constexpr bool spectrumInExchange = slices > 1 && !spectrumFloats;
  // The four matrices of the middle are one, transposed and doubled: where registers are scarce, only that one is kept.
  static constexpr bool oneInner = accurate && slices > 1;
  // The first kept results are fetched before the last middles have ended: bfloat16 12.4 to 12.1 ms at 65536 points.
  static constexpr bool keptAhead = slices > 2 && !accurate && !gated;
  // The product of a sample and its gate has more digits than a half. The accurate class multiplies the rest too.
  static constexpr bool splitProduct = accurate && gated;
  static constexpr int twiddleBytes = imageBytes + powerBytes;
  // Power of two taken off the samples where there is no scale per row. A constant row of 1000 at the longest length
  // reaches 1000 sqrt(32768) = 181,000 in a unitary transform, of which halfCostScale() leaves 0.56^2 before the spectrum: 3500.
  // Of rms 0.01, the halves there (2e-4) are still normal numbers. What follows the spectrum: spectrumExponent().
  static constexpr int fixedExponent = rowScaled ? 0 : slices == 4 ? 5 : 4;
};

// For rows with a skip term, see Config::skipKernel.
template <class C>
struct AddsSkip : C {
  static constexpr bool addsSkip = true;
};

// The same for the common shape of a long row, for which the long order has code of its own without the choices that the
// others need: an eighth of its instructions, and as many waits for instructions again, had been those choices.
// Rows that do not fill their transform (long_rows.cuh) run a second copy: in one for both whole rows took 6 % longer in bfloat16.
template <class C, bool partial = false>
struct WholeRows : C {
  static constexpr bool wholeRows = true, partialRows = partial;
  static constexpr bool oneTile = true;
  static constexpr bool alwaysResident = C::residentBlocks > 0;
  // Both pieces of a block of the spectrum leave the ring, and are ordered anew, at once: before an asynchronous copy behind another
  // access to shared memory the compiler puts three loads that do nothing. 16384 points in float16 1.615 to 1.578 ms, gates 1.357 to 1.326,
  // 12288 points 0.677 to 0.668; bfloat16 neither gains nor loses.
  static constexpr bool pairedRing = C::R >= 3 && C::spectrumRing;
  static constexpr bool summedSpectrum = C::summedSpectrum || pairedRing;
};
// Such rows of bfloat16 and of gated products as they are, in the fast class: neither a look at all samples of a row before the first
// product, nor scales on the way. Whether that is well is seen by the outputs (long_watch.cuh), and a row that is not goes by WholeRows, with
// all that follow it in its block. 32 rows of 16384 points in bfloat16 0.940 to 0.883 ms.
template <class C, bool partial = false>
struct UnscaledRows : WholeRows<C, partial> {
  static constexpr bool watchesRows = true;
  static constexpr bool rowScaled = false, warpScaled = false;
  static constexpr bool outerEarly = true, spectrumLate = true;  // as ungated float16 has them
  // Not whole rows of bfloat16: 0.885 to 0.893 ms (B = 32), rows that do not fill 16384 points 0.977 to 0.966, both gates 1.275 to 1.18.
  static constexpr bool turnRegisters = C::turnTables && (C::gated || partial);
};
// For sets of one channel of less than 4096 points in the accurate class. Where sequences share a tile, they have the same turns, 16 KB of
// them or less: these fit into what shared memory leaves of the first-level cache, and without 32 KB for all rows of them sets
// have four tiles instead of two or three. Of a set of two at 512 points a fifth of the time is not spent on tiles.
template <class C, bool kept>
struct TurnsInCache : C {
  static constexpr bool turnsInCache = true, keepsTurns = kept;  // those of the way back in registers
  static constexpr int twiddleBytes = 0;
};
// And for packed samples of radix 4 in the accurate class, which window_body.cuh serves: tensor copies, no skip factor, and as many
// blocks of the spectrum in shared memory as it can have.
template <class C>
struct WholeWindows : C {
  static constexpr bool wholeWindows = true;
  static constexpr bool oneTile = true, alwaysResident = true;
};
// And for sequences in slices that fill their transform, by tensor copies, without exponents: a third of the
// instructions to fetch. With one copy of the middle 65536 points went from 11.45 to 11.25 ms, bfloat16 12.05 to 11.7, accurate 20.1 to 18.8,
// 32768 points accurate 8.8 to 8.5. In the fast class 16 rows of 768 channels went from 1.13 to 1.05 ms, bfloat16 1.21 to 1.14, both gates 1.56
// to 1.38, 24576 points 0.937 to 0.885; 8 of 65536 points with both gates 3.95 to 2.30, of which 0.45 is what is not fetched to L2 ahead.
template <class C>
struct WholeSequences : C {
  static constexpr bool wholeSequences = true, oneMiddle = true, firstLate = C::accurate || !C::bf16;
};
// One gate of two. Without that of the outputs, last() has them ready for tensor copies; without that of the samples, there is no
// product whose rounding would matter: scaled samples are exact.
template <class C>
struct OnlyFirstGate : C {
  static constexpr bool onlyFirstGate = true;
  static constexpr bool gateAtStore = false, splitOutputs = false;
};
template <class C>
struct OnlyLastGate : C {
  static constexpr bool onlyLastGate = true;
  static constexpr bool splitProduct = false;
};

// Shared memory of a launch: staging slots of u (and y), of the gates, exchange buffers, twiddles, row tables, barriers.
template <class C>
constexpr int64_t sharedBytes(int tilesPerSet, int log2N2, int slots, bool pre, bool post, bool maps) {
  // All of a sequence's samples and one exchange buffer.
  if (C::slices > 1)
    return C::R * (C::slices * stagingBytes + exchangeBytes) + C::twiddleBytes + C::ringBytes +
           (C::resultsInShared ? C::resultBytes : 0) + sliceBarrierBytes;
  const int staged = slots + C::buffers * ((C::gated && pre) + (C::gated && post && !C::gateAtStore));
  const int64_t perTile = int64_t(C::R) * (stagingBytes * C::windows * staged + C::buffers * C::blockBytes);
  const int64_t rows = int64_t(tilesPerSet) << (4 - log2N2);
  const int perRow = (maps ? 0 : 8 * (C::gated ? 4 : 2)) + 12 + (C::packed ? 12 : 0);
  return tilesPerSet * perTile + C::twiddleBytes + C::ringBytes + rows * rowRing * perRow + barrierBytes + 2 * C::restBytes;
}

// The least that a launch can do with: one tile, no slot to spare, and of two gates the one that takes no more than the other.
template <class C>
constexpr int64_t leastSharedBytes = sharedBytes<C>(1, C::pairwise ? 4 : 0, C::buffers, !C::gateAtStore, C::gateAtStore, false);

// Sets of which the driver for sets of one channel keeps notes. Interval j reads and writes those of sets j - 1 to j + 2 and clears those of set
// j + 4, which must not meet: six at least. With eight, 256 points in bfloat16 have no room for what comes round; elsewhere eight, since a
// remainder costs registers that radix 2 does not have.
template <class C>
constexpr int noteRing = C::pairwise ? 8 : 7;
// What the driver for sets of one channel notes of its rows: a word a sequence, a line of 64 bytes a tile, and a word a set.
template <class C>
constexpr int noteBytes = C::uniformTiles * 64 + 4;
// All of them, and two words that stop the block; pieces of 16 bytes follow.
template <class C>
constexpr int allNoteBytes = (noteRing<C> * noteBytes<C> + 8 + 15) / 16 * 16;
// The same for that driver: no row tables but these notes, and two words that stop the block.
template <class C>
constexpr int64_t uniformBytes(int tilesPerSet, int log2N2) {
  const int64_t perTile = int64_t(C::R) * (stagingBytes * (C::uniformSlots + (C::gated ? 2 * C::buffers : 0)) + C::buffers * exchangeBytes);
  const int turns = log2N2 < C::cachedTurnsBelow ? 0 : C::twiddleBytes, notes = C::rowScaled ? allNoteBytes<C> : 0;
  return tilesPerSet * perTile + turns + barrierBytes + notes + C::residentBytes + C::wrapBytes;
}

}  // namespace ffc::mma
