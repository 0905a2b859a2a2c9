// SPDX-License-Identifier: MIT
// Encoding and decoding against ISA-L's own ec_encode_data for the same bytes in the same places.
//
//   ec_bench [--rounds N] [--megabytes N]
//
// In a round each is measured after the other, by the CPU time of the one thread; the best of the
// rounds counts. GB/s are of the object's bytes. `stage` is all that Encoder or Decoder do; `hash`
// is what they have to hash, alone; `code` is the rest, and the bar is 1.4 times ISA-L's CPU for
// it. Decoding lacks as many data slices as it can. What a reader does to bring in a block is in
// none of the figures. Ends with 1 when something is above the bar.
#include <isa-l/erasure_code.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <limits>
#include <random>
#include <string_view>
#include <vector>

#include "common/base/hash.h"
#include "node/ec/decoder.h"
#include "node/ec/encoder.h"

namespace aisfs::ec {
namespace {

constexpr double kBar = 1.4;

double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

/// CPU seconds, the best of the rounds.
struct Figures {
  double isal = std::numeric_limits<double>::max();
  double hash = isal;
  double stage = isal;

  void keep(const Figures& other) {
    isal = std::min(isal, other.isal);
    hash = std::min(hash, other.hash);
    stage = std::min(stage, other.stage);
  }
};

/// So that nothing that is computed may be left out.
std::uint64_t sink = 0;

struct Options {
  int rounds = 15;
  std::size_t megabytes = 64;
};

/// An object of whole stripes, and its slices.
struct Sample {
  Sample(Geometry g, std::size_t bytes)
      : geometry(g),
        stripes(std::max<std::size_t>(1, bytes / (kUnitDefault * g.data))),
        object(stripes * kUnitDefault * g.data) {
    std::mt19937_64 random(1);
    for (std::size_t at = 0; at < object.span().size(); at += 8) {
      const std::uint64_t word = random();
      std::memcpy(object.data() + at, &word, sizeof word);
    }
    for (unsigned i = 0; i < g.slices(); ++i) slices.emplace_back(stripes * kUnitDefault);
    Encoder encoder(g);
    const StripeSink store = [this](const Stripe& stripe) {
      for (std::size_t i = 0; i < slices.size(); ++i) {
        std::memcpy(slices[i].data() + stripe.index * kUnitDefault, stripe.blocks[i].data(),
                    kUnitDefault);
      }
      return Status{};
    };
    static_cast<void>(encoder.write(object.span(), store));
    static_cast<void>(encoder.flush());
    encoded = encoder.finish();
  }

  double gigabytes() const { return static_cast<double>(object.span().size()) / 1e9; }

  const Geometry geometry;
  const std::size_t stripes;
  BlockMemory object;
  std::vector<BlockMemory> slices;
  EncodedObject encoded;
};

/// ISA-L as its manual says: tables once, then whole blocks.
class PlainIsal {
 public:
  /// Encodes.
  explicit PlainIsal(Geometry g) : sources_(g.data), outputs_(g.parity) {
    const auto all = matrix(g);
    make_tables({all.begin() + static_cast<std::ptrdiff_t>(g.data) * g.data, all.end()});
  }
  /// Computes the first `lost` data blocks of the others.
  PlainIsal(Geometry g, unsigned lost) : sources_(g.data), outputs_(lost) {
    const auto all = matrix(g);
    const std::ptrdiff_t begin = static_cast<std::ptrdiff_t>(lost) * g.data;
    std::vector<unsigned char> known(all.begin() + begin, all.begin() + begin + g.data * g.data);
    std::vector<unsigned char> inverse(known.size());
    if (gf_invert_matrix(known.data(), inverse.data(), g.data) != 0) std::abort();
    inverse.resize(std::size_t{lost} * g.data);
    make_tables(std::move(inverse));
  }

  void run(std::span<const std::byte* const> from, std::span<std::byte* const> to) {
    std::vector<unsigned char*> in, out;
    for (const std::byte* block : from) {
      in.push_back(reinterpret_cast<unsigned char*>(const_cast<std::byte*>(block)));
    }
    for (std::byte* block : to) out.push_back(reinterpret_cast<unsigned char*>(block));
    ec_encode_data(kUnitDefault, sources_, outputs_, tables_.data(), in.data(), out.data());
  }

 private:
  static std::vector<unsigned char> matrix(Geometry g) {
    std::vector<unsigned char> all(std::size_t{g.slices()} * g.data);
    gf_gen_cauchy1_matrix(all.data(), static_cast<int>(g.slices()), g.data);
    return all;
  }
  void make_tables(std::vector<unsigned char> coefficients) {
    tables_.resize(std::size_t{32} * static_cast<std::size_t>(sources_ * outputs_));
    ec_init_tables(sources_, outputs_, coefficients.data(), tables_.data());
  }

  int sources_;
  int outputs_;
  std::vector<unsigned char> tables_;
};

std::vector<std::byte*> blocks_in(const BlockMemory& memory, unsigned count) {
  std::vector<std::byte*> out;
  for (unsigned i = 0; i < count; ++i) out.push_back(memory.data() + std::size_t{i} * kUnitDefault);
  return out;
}

/// ISA-L and the hashes that encoding needs, stripe by stripe, as the encoder goes.
Figures parts_of_encoding(const Sample& sample, const BlockMemory& parity) {
  const unsigned data = sample.geometry.data;
  PlainIsal isal(sample.geometry);
  const auto to = blocks_in(parity, sample.geometry.parity);
  Figures out{.isal = 0, .hash = 0, .stage = 0};
  for (std::size_t stripe = 0; stripe < sample.stripes; ++stripe) {
    std::vector<const std::byte*> from;
    for (unsigned i = 0; i < data; ++i) {
      from.push_back(sample.object.data() + (stripe * data + i) * kUnitDefault);
    }
    double begin = cpu_seconds();
    isal.run(from, to);
    out.isal += cpu_seconds() - begin;
    begin = cpu_seconds();
    for (const std::byte* block : from) sink ^= xxh3_64({block, kUnitDefault});
    for (const std::byte* block : to) sink ^= xxh3_64({block, kUnitDefault});
    out.hash += cpu_seconds() - begin;
  }
  return out;
}

double encoder_encodes(const Sample& sample) {
  const StripeSink drop = [](const Stripe& stripe) {
    sink ^= static_cast<std::uint64_t>(stripe.blocks.back()[7]);
    return Status{};
  };
  // As in a server, the memory has been used before; the encoder's own is as it comes.
  Encoder encoder(sample.geometry);
  static_cast<void>(
      encoder.write(sample.object.span().first(kUnitDefault * sample.geometry.data), drop));
  const double begin = cpu_seconds();
  static_cast<void>(encoder.write(sample.object.span(), drop));
  return cpu_seconds() - begin;
}

/// Copies blocks to where they are to be decoded; counts what that takes.
class CopyReader final : public SliceReader {
 public:
  explicit CopyReader(const Sample& sample) : sample_(sample) {}

  Task<void> read(std::span<SliceRead> reads) override {
    const double begin = cpu_seconds();
    for (SliceRead& one : reads) {
      std::memcpy(one.into.data(), sample_.slices[one.slice].data() + one.offset, one.into.size());
      one.outcome = Status{};
    }
    spent += cpu_seconds() - begin;
    co_return;
  }

  double spent = 0;

 private:
  const Sample& sample_;
};

/// Reads the first stripe, then all of them, which is measured.
Task<void> decode(Decoder& decoder, CopyReader& reader, double& seconds) {
  static_cast<void>(co_await decoder.next());
  decoder.rewind();
  reader.spent = 0;
  const double begin = cpu_seconds();
  for (;;) {
    const auto pieces = co_await decoder.next();
    if (!pieces) std::abort();
    if (pieces->empty()) break;
    sink ^= static_cast<std::uint64_t>(pieces->back()[7]);
  }
  seconds = cpu_seconds() - begin - reader.spent;
}

double decoder_decodes(const Sample& sample, unsigned lost) {
  std::vector<SliceState> states;
  for (unsigned i = 0; i < sample.geometry.slices(); ++i) {
    states.push_back({.presence = i < lost ? Presence::kLost : Presence::kThere,
                      .block_hashes = sample.encoded.slices[i].blocks});
  }
  CopyReader reader(sample);
  Decoder decoder(sample.encoded.header({}, {}), states, reader);
  asio::io_context io;
  double seconds = 0;
  asio::co_spawn(io, decode(decoder, reader, seconds), [](std::exception_ptr error) {
    if (error) std::abort();
  });
  io.run();
  return seconds;
}

/// ISA-L and the hashes that decoding needs, on blocks that have just been copied as the reader
/// does.
Figures parts_of_decoding(const Sample& sample, unsigned lost, const BlockMemory& memory) {
  const unsigned data = sample.geometry.data;
  PlainIsal isal(sample.geometry, lost);
  const auto from = blocks_in(memory, data + lost);
  const std::span to = std::span(from).subspan(data);
  const std::vector<const std::byte*> sources(from.begin(), from.begin() + data);
  Figures out{.isal = 0, .hash = 0, .stage = 0};
  for (std::size_t stripe = 0; stripe < sample.stripes; ++stripe) {
    for (unsigned i = 0; i < data; ++i) {
      std::memcpy(from[i], sample.slices[lost + i].data() + stripe * kUnitDefault, kUnitDefault);
    }
    double begin = cpu_seconds();
    isal.run(sources, to);
    out.isal += cpu_seconds() - begin;
    begin = cpu_seconds();
    for (const std::byte* block : from) sink ^= xxh3_64({block, kUnitDefault});
    out.hash += cpu_seconds() - begin;
  }
  return out;
}

Figures measure_encoding(const Sample& sample, int rounds) {
  BlockMemory parity(std::size_t{sample.geometry.parity} * kUnitDefault);
  std::memset(parity.data(), 0, parity.span().size());
  Figures best;
  for (int i = 0; i < rounds; ++i) {
    Figures round = parts_of_encoding(sample, parity);
    round.stage = encoder_encodes(sample);
    best.keep(round);
  }
  return best;
}

Figures measure_decoding(const Sample& sample, unsigned lost, int rounds) {
  BlockMemory memory(std::size_t{sample.geometry.data + lost} * kUnitDefault);
  std::memset(memory.data(), 0, memory.span().size());
  Figures best;
  for (int i = 0; i < rounds; ++i) {
    Figures round = parts_of_decoding(sample, lost, memory);
    round.stage = decoder_decodes(sample, lost);
    best.keep(round);
  }
  return best;
}

/// Whether it is below the bar.
bool print(const char* what, const Sample& sample, const Figures& best) {
  const double code = best.stage - best.hash;
  const double ratio = code / best.isal;
  const double gb = sample.gigabytes();
  std::printf("%-6s %-6s %9.2f %9.2f %9.2f %9.2f %7.2f   %s\n", what,
              sample.geometry.to_string().c_str(), gb / best.isal, gb / std::max(code, 1e-9),
              gb / best.hash, gb / best.stage, ratio, ratio <= kBar ? "ok" : "ABOVE THE BAR");
  return ratio <= kBar;
}

int run(const Options& options) {
  std::printf("GB/s of object a core %9s %9s %9s %9s %7s\n", "", "", "", "", "CPU of");
  std::printf("%-6s %-6s %9s %9s %9s %9s %7s\n", "", "", "ISA-L", "code", "hash", "stage",
              "code/ISA-L");
  bool ok = true;
  for (const Geometry geometry :
       {Geometry{2, 2}, Geometry{4, 2}, Geometry{8, 3}, Geometry{16, 16}}) {
    const Sample sample(geometry, options.megabytes << 20);
    const unsigned lost = std::min(geometry.data, geometry.parity);
    ok &= print("encode", sample, measure_encoding(sample, options.rounds));
    ok &= print("decode", sample, measure_decoding(sample, lost, options.rounds));
  }
  std::fprintf(stderr, "(%llx)\n", static_cast<unsigned long long>(sink));
  return ok ? 0 : 1;
}

}  // namespace
}  // namespace aisfs::ec

int main(int argc, char** argv) {
  aisfs::ec::Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--rounds") options.rounds = std::atoi(argv[i + 1]);
    if (name == "--megabytes") options.megabytes = std::strtoull(argv[i + 1], nullptr, 10);
  }
  return aisfs::ec::run(options);
}
