#pragma once

namespace ffc {

struct ShippedConstant {
  const char* name;
  double value;
};

}  // namespace ffc
