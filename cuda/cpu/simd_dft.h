// Small complex transforms over registers, W at a time. Forward has exp(-2 pi i ..), inverse exp(+2 pi i ..).

struct C {
  V re, im;
};

FFC_INLINE C operator+(C a, C b) { return {a.re + b.re, a.im + b.im}; }
FFC_INLINE C operator-(C a, C b) { return {a.re - b.re, a.im - b.im}; }
FFC_INLINE C operator*(C a, float s) { return {a.re * s, a.im * s}; }

FFC_INLINE C loadC(const float* p) { return {load(p), load(p + W)}; }
FFC_INLINE void storeC(float* p, C x) { store(p, x.re), store(p + W, x.im); }

// x * f, or x * conj(f) on the way back.
template <bool inverse>
FFC_INLINE C rotated(C x, C f) {
  if (inverse) return {x.re * f.re + x.im * f.im, x.im * f.re - x.re * f.im};
  return {x.re * f.re - x.im * f.im, x.re * f.im + x.im * f.re};
}
template <bool inverse>
FFC_INLINE C rotated(C x, float re, float im) {
  if (inverse) return {x.re * re + x.im * im, x.im * re - x.re * im};
  return {x.re * re - x.im * im, x.re * im + x.im * re};
}
// x * -i, or x * i on the way back.
template <bool inverse>
FFC_INLINE C quarter(C x) {
  if (inverse) return {-x.im, x.re};
  return {x.im, -x.re};
}

template <bool inverse>
FFC_INLINE void dft4(C& a, C& b, C& c, C& d) {
  const C ac = a + c, amc = a - c, bd = b + d, bmd = quarter<inverse>(b - d);
  a = ac + bd;
  b = amc + bmd;
  c = ac - bd;
  d = amc - bmd;
}

template <int R, bool inverse>
struct Dft;

template <bool inverse>
struct Dft<3, inverse> {
  FFC_INLINE void run(C (&x)[3]) {
    constexpr float s = 0.86602540378443864676f;
    const C sum = x[1] + x[2], difference = quarter<inverse>(x[1] - x[2]) * s;
    const C middle = {x[0].re - sum.re * 0.5f, x[0].im - sum.im * 0.5f};
    x[0] = x[0] + sum;
    x[1] = middle + difference;
    x[2] = middle - difference;
  }
};

template <bool inverse>
struct Dft<4, inverse> {
  FFC_INLINE void run(C (&x)[4]) { dft4<inverse>(x[0], x[1], x[2], x[3]); }
};

template <bool inverse>
struct Dft<5, inverse> {
  FFC_INLINE void run(C (&x)[5]) {
    constexpr float c1 = 0.30901699437494742410f, c2 = -0.80901699437494742410f;
    constexpr float s1 = 0.95105651629515357212f, s2 = 0.58778525229247312917f;
    const C p = x[1] + x[4], m = x[1] - x[4], q = x[2] + x[3], n = x[2] - x[3];
    const C a = {x[0].re + p.re * c1 + q.re * c2, x[0].im + p.im * c1 + q.im * c2};
    const C b = {x[0].re + p.re * c2 + q.re * c1, x[0].im + p.im * c2 + q.im * c1};
    const C e = quarter<inverse>(C{m.re * s1 + n.re * s2, m.im * s1 + n.im * s2});
    const C f = quarter<inverse>(C{m.re * s2 - n.re * s1, m.im * s2 - n.im * s1});
    x[0] = x[0] + p + q;
    x[1] = a + e;
    x[4] = a - e;
    x[2] = b + f;
    x[3] = b - f;
  }
};

template <bool inverse>
struct Dft<8, inverse> {
  FFC_INLINE void run(C (&x)[8]) {
    constexpr float h = 0.70710678118654752440f;
    dft4<inverse>(x[0], x[2], x[4], x[6]);
    dft4<inverse>(x[1], x[3], x[5], x[7]);
    const C a = x[0], b = x[2], c = x[4], d = x[6];
    const C e = x[1];
    const C f = (x[3] + quarter<inverse>(x[3])) * h;
    const C g = quarter<inverse>(x[5]);
    const C i = (quarter<inverse>(x[7]) - x[7]) * h;
    x[0] = a + e, x[4] = a - e;
    x[1] = b + f, x[5] = b - f;
    x[2] = c + g, x[6] = c - g;
    x[3] = d + i, x[7] = d - i;
  }
};

// The two halves of a 16-point transform: four columns with the factors exp(-2 pi i j k / 16), then four rows.
constexpr float cos16 = 0.92387953251128675613f, sin16 = 0.38268343236508977173f, half16 = 0.70710678118654752440f;

template <bool inverse>
FFC_INLINE void factors16(C& x1, C& x2, C& x3, int column) {
  if (column == 1) {
    x1 = rotated<inverse>(x1, cos16, -sin16);
    x2 = rotated<inverse>(x2, half16, -half16);
    x3 = rotated<inverse>(x3, sin16, -cos16);
  } else if (column == 2) {
    x1 = rotated<inverse>(x1, half16, -half16);
    x2 = quarter<inverse>(x2);
    x3 = rotated<inverse>(x3, -half16, -half16);
  } else if (column == 3) {
    x1 = rotated<inverse>(x1, sin16, -cos16);
    x2 = rotated<inverse>(x2, -half16, -half16);
    x3 = rotated<inverse>(x3, -cos16, sin16);
  }
}
