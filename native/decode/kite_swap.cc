// The byte swap behind the Kite decoder, by what the machine can do.
#include <cstring>

#include "decode/kite.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace tw::decode {

void SwapWordsScalar(const std::uint8_t* in, std::uint32_t* out, std::size_t words) {
  for (std::size_t i = 0; i < words; ++i) out[i] = ReadBig32(in + 4 * i);
}

namespace {

#if defined(__x86_64__)
__attribute__((target("ssse3"))) void SwapWordsSsse3(const std::uint8_t* in, std::uint32_t* out, std::size_t words) {
  const __m128i order = _mm_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
  std::size_t i = 0;
  for (; i + 4 <= words; i += 4) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in + 4 * i));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i), _mm_shuffle_epi8(bytes, order));
  }
  SwapWordsScalar(in + 4 * i, out + i, words - i);
}

__attribute__((target("avx2"))) void SwapWordsAvx2(const std::uint8_t* in, std::uint32_t* out, std::size_t words) {
  const __m256i order = _mm256_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15,
                                         14, 13, 12);
  std::size_t i = 0;
  for (; i + 8 <= words; i += 8) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(in + 4 * i));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), _mm256_shuffle_epi8(bytes, order));
  }
  SwapWordsScalar(in + 4 * i, out + i, words - i);
}
#endif

using Swap = void (*)(const std::uint8_t*, std::uint32_t*, std::size_t);
struct Path {
  Swap swap;
  const char* name;
};

Path Choose() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2")) return {SwapWordsAvx2, "avx2"};
  if (__builtin_cpu_supports("ssse3")) return {SwapWordsSsse3, "ssse3"};
  return {SwapWordsScalar, "scalar"};
#elif defined(__aarch64__)
  return {SwapWordsScalar, "neon"};  // REV32 is in the base instruction set: the compiler vectorizes the loop itself.
#else
  return {SwapWordsScalar, "scalar"};
#endif
}

const Path kPath = Choose();

}  // namespace

void SwapWordsFast(const std::uint8_t* in, std::uint32_t* out, std::size_t words) { kPath.swap(in, out, words); }
const char* SwapWordsPath() { return kPath.name; }

}  // namespace tw::decode
