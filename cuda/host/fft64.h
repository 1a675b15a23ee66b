// Transforms in float64 on the host, of any length: for what is computed once per kernel and must be exact. Speed is
// not the point; the convolutions themselves have engines of their own.
#pragma once
#include <complex>
#include <cstdint>
#include <vector>

namespace ffc {

// X[k] = sum_n x[n] exp(-2 pi i n k / count), and back (not scaled). One object per length; calls may run at once.
class Fft64 {
 public:
  explicit Fft64(int64_t count);
  void forward(std::vector<std::complex<double>>& x) const;
  void inverse(std::vector<std::complex<double>>& x) const;
  // What an object of a length takes of the host's memory, and what each call takes for its time.
  static int64_t bytesFor(int64_t count);
  static int64_t callBytesFor(int64_t count);

 private:
  using Complex = std::complex<double>;
  void powerOfTwo(std::vector<Complex>& x) const;

  int64_t count_, size_;            // size_: of the power-of-two transforms inside
  std::vector<Complex> roots_;      // exp(-2 pi i n / size_), n < size_ / 2
  std::vector<Complex> chirp_;      // exp(-i pi n^2 / count_); empty where count_ is a power of two
  std::vector<Complex> chirpSpectrum_;
};

}  // namespace ffc
