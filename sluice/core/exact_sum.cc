#include "sluice/core/exact_sum.h"

#include <bit>
#include <cmath>

namespace sluice {
namespace {
constexpr int kLowest = -1088;  // exponent of digit 0's unit
}

void ExactSum::add(double x) {
  if (x == 0) return;
  if (++pending_ >= kMost) normalise();
  const auto bits = std::bit_cast<uint64_t>(x);
  const int biased = static_cast<int>(bits >> 52) & 0x7ff;
  const uint64_t mantissa = (bits & ((uint64_t{1} << 52) - 1)) | (biased == 0 ? 0 : uint64_t{1} << 52);
  const int place = (biased == 0 ? -1074 : biased - 1075) - kLowest;  // bit place of the mantissa's lowest bit
  const auto digit = static_cast<size_t>(place / 32);
  const auto wide = static_cast<unsigned __int128>(mantissa) << (place % 32);
  const int64_t parts[3] = {static_cast<int64_t>(wide & 0xffffffff), static_cast<int64_t>((wide >> 32) & 0xffffffff),
                            static_cast<int64_t>(wide >> 64)};
  const int64_t sign = (bits >> 63) != 0 ? -1 : 1;
  for (size_t i = 0; i < 3; ++i) {
    if (parts[i] != 0) digits_[digit + i] += sign * parts[i];
  }
}

void ExactSum::merge(const ExactSum& other) {
  normalise();
  ExactSum theirs = other;
  theirs.normalise();
  for (size_t i = 0; i < digits_.size(); ++i) digits_[i] += theirs.digits_[i];
  pending_ = 2;
}

// Every digit into [0, 2^32) but the last, which keeps the sign.
void ExactSum::normalise() {
  int64_t carry = 0;
  for (size_t i = 0; i + 1 < digits_.size(); ++i) {
    const int64_t sum = digits_[i] + carry;
    digits_[i] = sum & 0xffffffff;
    carry = (sum - digits_[i]) / (int64_t{1} << 32);
  }
  digits_.back() += carry;
  pending_ = 1;
}

void ExactSum::save(ByteWriter& out) const {
  ExactSum sum = *this;
  sum.normalise();
  out.put(sum.digits_);
}

void ExactSum::load(ByteReader& in) {
  digits_ = in.get<std::array<int64_t, kDigits>>();
  pending_ = 1;
  for (size_t i = 0; i + 1 < digits_.size(); ++i) {
    if (digits_[i] < 0 || digits_[i] > 0xffffffff) in.damaged("holds a sum that none could have made");
  }
  // 2^63 additions of the largest double stay below this.
  if (digits_.back() < -(int64_t{1} << 32) || digits_.back() > (int64_t{1} << 32)) in.damaged("holds a sum that none could have made");
}

double ExactSum::value() const {
  ExactSum sum = *this;
  sum.normalise();
  const bool negative = sum.digits_.back() < 0;
  if (negative) {
    for (int64_t& digit : sum.digits_) digit = -digit;
    sum.normalise();
  }
  int top = kDigits - 1;
  while (top > 0 && sum.digits_[static_cast<size_t>(top)] == 0) --top;
  // The top three digits hold at least 65 significant bits; anything below only breaks a tie.
  unsigned __int128 head = 0;
  const int lowest = std::max(0, top - 2);
  for (int i = top; i >= lowest; --i) head = (head << 32) | static_cast<uint64_t>(sum.digits_[static_cast<size_t>(i)]);
  if (head == 0) return 0;
  bool sticky = false;
  for (int i = 0; i < lowest; ++i) sticky |= sum.digits_[static_cast<size_t>(i)] != 0;
  int exponent = kLowest + 32 * lowest;
  const int width = head >> 64 ? 64 + std::bit_width(static_cast<uint64_t>(head >> 64)) : std::bit_width(static_cast<uint64_t>(head));
  // Bits kept: 53, fewer where the result is subnormal.
  const int drop = std::max(width - 53, -1074 - exponent);
  if (drop > 0) {
    const unsigned __int128 half = static_cast<unsigned __int128>(1) << (drop - 1);
    const unsigned __int128 rest = head & ((half << 1) - 1);
    head >>= drop;
    exponent += drop;
    if (rest > half || (rest == half && (sticky || (head & 1)))) ++head;
  }
  const double magnitude = std::ldexp(static_cast<double>(static_cast<uint64_t>(head)), exponent);
  return negative ? -magnitude : magnitude;
}

}  // namespace sluice
