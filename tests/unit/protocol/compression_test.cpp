// Codecs: there and back, what the limits stop, and what a cut or wrong stream may do.
#include <kafkawire/protocol/compression.hpp>

#include <random>

#include "allocations.hpp"
#include "catch.hpp"
#include "golden.hpp"
#include "protocol/codecs.hpp"

using namespace kafkawire;
using namespace kafkawire::protocol;

namespace {

constexpr std::array codecs = {compression::gzip, compression::snappy, compression::lz4, compression::zstd};

std::vector<std::byte> words(std::size_t size) {
    std::minstd_rand random{5};
    std::vector<std::byte> out;
    while (out.size() < size) {
        const auto word = random() % 500;
        for (unsigned i = 0; i < 3 + word % 6; ++i) out.push_back(static_cast<std::byte>('a' + (word * 7 + i * 5) % 26));
        out.push_back(std::byte{' '});
    }
    out.resize(size);
    return out;
}
bool same(bytes_view a, bytes_view b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

}  // namespace

TEST_CASE("codecs have Kafka's names and numbers", "[compression]") {
    for (int i = 0; i <= 4; ++i) CHECK(compression_from(to_string(static_cast<compression>(i))) == static_cast<compression>(i));
    CHECK(to_string(compression::zstd) == "zstd");
    CHECK(to_string(static_cast<compression>(5)) == "unknown");
    CHECK(!compression_from("brotli"));
}

TEST_CASE("what is compressed comes back, at every level and size", "[compression]") {
    compressor with;
    decompressor back;
    byte_buffer small, whole;
    for (const auto codec : codecs)
        for (const int level : {default_level, -5, 0, 1, 4, 9, 12, 22, 1000})
            for (const std::size_t size : {0u, 1u, 100u, 65'536u, 200'001u}) {
                CAPTURE(to_string(codec), level, size);
                const auto in = words(size);
                small.clear();
                small.append(bytes_view{in}.first(std::min<std::size_t>(size, 1)));  // something before, which must stay
                const auto before = small.size();
                REQUIRE(!with.compress(codec, in, small, level));
                whole.clear();
                const auto error = back.decompress(codec, small.view().subspan(before), whole);
                REQUIRE(error.what == "");
                REQUIRE(same(whole.view(), in));
            }
}

TEST_CASE("levels mean something", "[compression]") {
    compressor with;
    byte_buffer fast, best;
    const auto in = words(300'000);
    for (const auto codec : {compression::gzip, compression::lz4, compression::zstd}) {
        fast.clear();
        best.clear();
        REQUIRE(!with.compress(codec, in, fast, 1));
        REQUIRE(!with.compress(codec, in, best, 9));
        CAPTURE(to_string(codec), fast.size(), best.size());
        CHECK(best.size() < fast.size());
    }
}

TEST_CASE("format 0's lz4 has the check byte that its readers expect", "[compression]") {
    compressor with;
    decompressor back;
    byte_buffer right, wrong, whole;
    const auto in = words(1000);
    REQUIRE(!with.compress(compression::lz4, in, right));
    REQUIRE(!with.compress(compression::lz4, in, wrong, default_level, codec_form::magic0));
    // Kafka's classes write these bytes for the same flags: 0x82 right, 0x1a wrong, see the golden batches v2-lz4-* and v0-lz4-*.
    CHECK(right.data()[6] == std::byte{0x82});
    CHECK(wrong.data()[6] == std::byte{0x1a});
    CHECK(back.decompress(compression::lz4, wrong.view(), whole).code == errc::decompression_failed);
    CHECK(whole.empty());
    REQUIRE(!back.decompress(compression::lz4, wrong.view(), whole, {}, codec_form::magic0));
    CHECK(same(whole.view(), in));
    whole.clear();
    REQUIRE(!back.decompress(compression::lz4, right.view(), whole, {}, codec_form::magic0));
    CHECK(same(whole.view(), in));
}

TEST_CASE("snappy is read raw, framed, and framed again behind a frame", "[compression]") {
    compressor with;
    decompressor back;
    byte_buffer framed, whole;
    const auto in = words(70'000);
    REQUIRE(!with.compress(compression::snappy, bytes_view{in}.first(1000), framed));
    // Behind the header and the block's length lies the raw form.
    REQUIRE(!back.decompress(compression::snappy, framed.view().subspan(20), whole));
    CHECK(same(whole.view(), bytes_view{in}.first(1000)));
    REQUIRE(!with.compress(compression::snappy, bytes_view{in}.subspan(1000), framed));
    whole.clear();
    REQUIRE(!back.decompress(compression::snappy, framed.view(), whole));
    CHECK(same(whole.view(), in));
}

TEST_CASE("several members and frames are one content", "[compression]") {
    compressor with;
    decompressor back;
    byte_buffer twice, whole;
    const auto in = words(50'000);
    for (const auto codec : {compression::gzip, compression::lz4, compression::zstd}) {
        CAPTURE(to_string(codec));
        twice.clear();
        whole.clear();
        REQUIRE(!with.compress(codec, bytes_view{in}.first(20'000), twice));
        REQUIRE(!with.compress(codec, bytes_view{in}.subspan(20'000), twice));
        REQUIRE(back.decompress(codec, twice.view(), whole).what == "");
        CHECK(same(whole.view(), in));
    }
}

TEST_CASE("a bomb stops at the limit and its cost stays there", "[compression][hostile]") {
    compressor with;
    const std::vector<std::byte> zeros(std::size_t{48} << 20);
    for (const auto codec : codecs) {
        byte_buffer bomb, out;
        REQUIRE(!with.compress(codec, zeros, bomb));
        decompressor fresh;
        const auto before = allocations::bytes();
        const auto error = fresh.decompress(codec, bomb.view(), out, {.max_decompressed_batch = std::size_t{4} << 20});
        CAPTURE(to_string(codec), bomb.size(), error.what);
        CHECK(error.code == errc::limit_exceeded);
        CHECK(error.what.find("max_decompressed_batch") != std::string_view::npos);
        CHECK(out.empty());
        // The buffer ends at one and a half times the limit at most, and growing by halves asks for three times that in all.
        CHECK(allocations::bytes() - before < (std::size_t{19} << 20));
        CHECK(out.capacity() <= (std::size_t{6} << 20) + (1 << 16));
        // Exactly the limit is not above it.
        CHECK(!fresh.decompress(codec, bomb.view(), out, {.max_decompressed_batch = zeros.size()}));
        CHECK(fresh.decompress(codec, bomb.view(), out, {.max_decompressed_batch = zeros.size() - 1}).code == errc::limit_exceeded);
        CHECK(out.size() == zeros.size());
    }
}

TEST_CASE("a declared size is not believed", "[compression][hostile]") {
    decompressor with;
    byte_buffer out;
    const auto before = allocations::bytes();
    // snappy: 50 MB announced by five bytes. zstd: a frame that announces 60 MB of content and has none.
    CHECK(with.decompress(compression::snappy, golden::from_hex("80e1eb1700"), out).code == errc::decompression_failed);
    CHECK(with.decompress(compression::zstd, golden::from_hex("28b52ffda0008793030100"), out).code == errc::decompression_failed);
    CHECK(allocations::bytes() - before < (1u << 20));
}

namespace {
// A zstd frame that names a window of 2^log bytes and holds `blocks` times 128 KiB of 'x'.
std::vector<std::byte> zstd_frame(int window_log, int blocks) {
    auto frame = golden::from_hex("28b52ffd00");
    frame.push_back(static_cast<std::byte>((window_log - 10) << 3));
    // A block of one byte repeated: its header's lowest bit says "the last", the next two the kind, the rest 131,072.
    for (int i = 1; i <= blocks; ++i)
        for (const int b : {i == blocks ? 3 : 2, 0, 0x10, int{'x'}}) frame.push_back(static_cast<std::byte>(b));
    return frame;
}
}  // namespace

TEST_CASE("a zstd window is never larger than 8 MiB or the limit, whatever the frame names", "[compression][hostile]") {
    constexpr std::size_t block = std::size_t{128} << 10, slack = std::size_t{1} << 20;
    // A block is never larger than the window: 17 is the smallest for these.
    for (const int log : {17, 20, 23, 24, 27, 28, 31})
        for (const std::size_t limit : {std::size_t{1} << 10, block, std::size_t{1} << 20, 5 * block, 40 * block, std::size_t{64} << 20}) {
            CAPTURE(log, limit);
            detail::zstd_decoder zstd;
            byte_buffer out;
            // Two frames, one after the other: each may go its own way.
            auto both = zstd_frame(log, 4);
            const auto second = zstd_frame(20, 1);
            both.insert(both.end(), second.begin(), second.end());
            detail::capped_output capped{out, both.size() * 4, {.max_decompressed_batch = limit}};
            const auto error = zstd.run(both, capped);
            CHECK(error.code == (limit < 5 * block ? errc::limit_exceeded : errc{}));
            if (!error) {
                CHECK(out.size() == 5 * block);
                CHECK(std::ranges::all_of(out.view(), [](std::byte b) { return b == std::byte{'x'}; }));
            }
            CHECK(zstd.memory() <= std::min(limit, std::size_t{8} << 20) + slack);
            CHECK(out.capacity() <= limit + limit / 2 + 8 * block);
            // The context is none the worse for it.
            out.clear();
            detail::capped_output again{out, second.size() * 4, {.max_decompressed_batch = std::size_t{1} << 20}};
            CHECK(!zstd.run(second, again));
            CHECK(out.size() == block);
        }
    // Cut anywhere, a frame with a large window is as wrong as one with a small one.
    const auto whole = zstd_frame(27, 2);
    decompressor with;
    byte_buffer out;
    for (std::size_t cut = 0; cut < whole.size(); ++cut)
        CHECK(with.decompress(compression::zstd, bytes_view{whole}.first(cut), out).code == errc::decompression_failed);
    CHECK(!with.decompress(compression::zstd, whole, out));
}

TEST_CASE("frames of zstd before 1.0 are refused, also behind a good one; skippable frames are passed over", "[compression][hostile]") {
    // Found by fuzzing: a zstd library that reads them gives them the 64 MiB that they name.
    decompressor with;
    byte_buffer out;
    const auto good = zstd_frame(17, 1);
    for (int version = 1; version <= 7; ++version)
        for (const bool first : {true, false}) {
            auto bytes = first ? std::vector<std::byte>{} : good;
            // The first version wrote its number the other way round.
            const auto magic = version == 1 ? std::array{0xfd, 0x2f, 0xb5, 0x1e} : std::array{0x20 + version, 0xb5, 0x2f, 0xfd};
            for (const int b : magic) bytes.push_back(static_cast<std::byte>(b));
            for (const int b : {0x0e, 0, 0, 0, 0, 0}) bytes.push_back(static_cast<std::byte>(b));
            const auto error = with.decompress(compression::zstd, bytes, out);
            CAPTURE(version, first, error.what);
            CHECK(error.code == errc::decompression_failed);
            CHECK(error.what.find("does not begin") != std::string_view::npos);
        }
    auto skipped = golden::from_hex("502a4d1803000000aabbcc");
    skipped.insert(skipped.end(), good.begin(), good.end());
    const auto again = skipped;
    skipped.insert(skipped.end(), again.begin(), again.end());
    CHECK(!with.decompress(compression::zstd, skipped, out));
    CHECK(out.size() == std::size_t{256} << 10);
}

TEST_CASE("a stream that is cut or changed anywhere is an error or other bytes", "[compression][hostile]") {
    compressor with;
    decompressor back;
    byte_buffer small, out;
    const auto in = words(2'000);
    for (const auto codec : codecs)
        for (const auto form : {codec_form::standard, codec_form::magic0}) {
            small.clear();
            REQUIRE(!with.compress(codec, in, small, default_level, form));
            for (std::size_t cut = 0; cut < small.size(); ++cut) {
                const std::vector<std::byte> part(small.data(), small.data() + cut);
                out.clear();
                const auto error = back.decompress(codec, part, out, {.max_decompressed_batch = 1 << 20}, form);
                // Framed snappy that ends between two blocks cannot be told from a shorter one.
                if (!error && !(codec == compression::snappy && cut == 16)) FAIL(to_string(codec) << " cut at " << cut << " is taken");
            }
            for (std::size_t at = 0; at < small.size(); ++at)
                for (const int flip : {1, 0x80, 0xff}) {
                    std::vector<std::byte> bad(small.data(), small.data() + small.size());
                    bad[at] ^= static_cast<std::byte>(flip);
                    out.clear();
                    const auto error = back.decompress(codec, bad, out, {.max_decompressed_batch = 1 << 20}, form);
                    if (error && !out.empty()) FAIL("bytes are left after an error");
                }
            // The contexts are none the worse for it.
            out.clear();
            REQUIRE(!back.decompress(codec, small.view(), out, {}, form));
            REQUIRE(same(out.view(), in));
        }
    CHECK(back.decompress(static_cast<compression>(6), small.view(), out).code == errc::unknown_codec);
}

TEST_CASE("a damaged lz4 frame does not harm the next one", "[compression]") {
    // A frame that announces 1,000 bytes of content and is cut behind its header. Found by fuzzing: lz4 1.9 remembers the 1,000.
    std::vector<std::byte> cut;
    for (const int b : {0x04, 0x22, 0x4d, 0x18, 0x68, 0x40, 0xe8, 0x03, 0, 0, 0, 0, 0, 0}) cut.push_back(static_cast<std::byte>(b));
    kafkawire::protocol::compressor out;
    kafkawire::protocol::decompressor in;
    kafkawire::protocol::byte_buffer packed, plain;
    const std::vector<std::byte> content(10, std::byte{7});
    REQUIRE(!out.compress(kafkawire::protocol::compression::lz4, content, packed));
    for (const auto form : {kafkawire::protocol::codec_form::magic0, kafkawire::protocol::codec_form::standard}) {
        auto damaged = cut;
        damaged.resize(20);  // the check byte: made right by format 0's form, whatever it is
        CHECK(in.decompress(kafkawire::protocol::compression::lz4, damaged, plain, {}, form));
        plain.clear();
        REQUIRE(!in.decompress(kafkawire::protocol::compression::lz4, packed.view(), plain));
        CHECK(std::equal(content.begin(), content.end(), plain.view().begin(), plain.view().end()));
    }
}
