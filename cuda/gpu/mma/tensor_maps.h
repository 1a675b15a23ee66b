// Tensor maps: how the rows of a launch lie in device memory, for the copies by which code for 9.0 moves them. Each
// function writes those of one driver into the parameters, and says whether the rows have a shape that it takes.
#pragma once
#include "choice.h"

namespace ffc::mma {

// Whether the driver encodes maps at all.
bool encodesMaps();

// Whole rows, `rows` of them a copy; others, for set_copies.cuh.
bool encodeWhole(const Choice& choice, Params& p, int64_t batch, int64_t channels, int rows);
// The same in columns beside that, for column_body.cuh.
bool encodeColumns(const Choice& choice, Params& p, int64_t batch, int64_t channels);
bool encodeLong(const Choice& choice, Params& p, int64_t batch, int64_t channels);
bool encodePartial(const Choice& choice, Params& p, int64_t batch, int64_t channels, int rows);
bool encodePacked(const Choice& choice, Params& p, int64_t batch, int64_t channels);
bool encodeSliced(const Choice& choice, Params& p, int64_t batch, int64_t channels);

}  // namespace ffc::mma
