#include "bundle/archive.h"

#include "bundle/manifest.h"

#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace baton::bundle {

namespace {

// Where the fields of a ustar header stand: offset and size.
struct Field {
  std::size_t at;
  std::size_t size;
};
constexpr Field kName{0, 100}, kMode{100, 8}, kUid{108, 8}, kGid{116, 8}, kSize{124, 12},
    kTime{136, 12}, kSum{148, 8}, kMagic{257, 8}, kMajor{329, 8}, kMinor{337, 8}, kPrefix{345, 155};
constexpr std::size_t kType = 156;
constexpr std::string_view kMagicText("ustar\00000", 8);
constexpr std::uint64_t kTarSizeMax = 077777777777;

Error refused(const std::string& message) { return Error(Code::kRefused, message); }

void put_octal(std::string& block, Field field, std::uint64_t value) {
  char digits[16];
  std::snprintf(digits, sizeof digits, "%0*llo", static_cast<int>(field.size - 1),
                static_cast<unsigned long long>(value));
  std::memcpy(block.data() + field.at, digits, field.size - 1);
}

/// The number in a field of octal digits and an ending zero or blank.
std::optional<std::uint64_t> get_octal(std::string_view block, Field field) {
  std::uint64_t value = 0;
  for (char c : block.substr(field.at, field.size - 1)) {
    if (c < '0' || c > '7') return std::nullopt;
    value = value * 8 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

std::string_view get_text(std::string_view block, Field field) {
  std::string_view text = block.substr(field.at, field.size);
  return text.substr(0, text.find('\0'));
}

unsigned checksum(std::string_view block) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < block.size(); ++i) {
    const bool own = i >= kSum.at && i < kSum.at + kSum.size;
    sum += own ? ' ' : static_cast<unsigned char>(block[i]);
  }
  return sum;
}

const char* type_name(char type) {
  switch (type) {
    case '1': return "a hard link";
    case '2': return "a symbolic link";
    case '3':
    case '4': return "a device";
    case '5': return "a directory";
    case '6': return "a FIFO";
    case 'x':
    case 'g':
    case 'L':
    case 'K': return "an extended header";
    default: return "an entry of an unknown type";
  }
}

bool is_zero(std::string_view bytes) {
  return bytes.find_first_not_of('\0') == std::string_view::npos;
}

}  // namespace

std::string tar_header(const TarEntry& entry) {
  BATON_CHECK(check_path(entry.path).ok(), entry.path);
  BATON_CHECK(entry.size <= kTarSizeMax);
  std::string block(kTarBlockBytes, '\0');
  std::string_view name = entry.path, prefix;
  if (name.size() > kName.size) {
    // The first slash that leaves a name short enough; the limits of names make sure there is one.
    const std::size_t slash = entry.path.find('/', entry.path.size() - kName.size - 1);
    BATON_CHECK(slash != std::string::npos && slash <= kPrefix.size, entry.path);
    prefix = name.substr(0, slash);
    name = name.substr(slash + 1);
  }
  std::memcpy(block.data() + kName.at, name.data(), name.size());
  if (!prefix.empty()) std::memcpy(block.data() + kPrefix.at, prefix.data(), prefix.size());
  put_octal(block, kMode, entry.mode);
  put_octal(block, kUid, 0);
  put_octal(block, kGid, 0);
  put_octal(block, kSize, entry.size);
  put_octal(block, kTime, 0);
  block[kType] = '0';
  std::memcpy(block.data() + kMagic.at, kMagicText.data(), kMagicText.size());
  put_octal(block, kMajor, 0);
  put_octal(block, kMinor, 0);
  char sum[8];
  std::snprintf(sum, sizeof sum, "%06o", checksum(block));
  std::memcpy(block.data() + kSum.at, sum, 7);
  block[kSum.at + 7] = ' ';
  return block;
}

std::size_t tar_padding(std::uint64_t size) {
  return (kTarBlockBytes - size % kTarBlockBytes) % kTarBlockBytes;
}

std::uint64_t tar_entry_bytes(std::uint64_t size) {
  return kTarBlockBytes + size + tar_padding(size);
}

// ---- Reading a tar ------------------------------------------------------------------------------

Result<void> TarReader::read_block(char* block, std::size_t size, const char* what) {
  BATON_CHECK(size <= kTarBlockBytes);
  for (std::size_t have = 0; have < size;) {
    BATON_ASSIGN(std::size_t n, source_(block + have, size - have));
    if (n == 0) return refused(std::string("truncated: it ends inside ") + what);
    have += n;
  }
  return {};
}

Result<std::optional<TarEntry>> TarReader::next() {
  BATON_CHECK(left_ == 0, "the entry before was not read to its end");
  char block[kTarBlockBytes];
  if (padding_ > 0) {
    BATON_TRY(read_block(block, padding_, "the padding of an entry"));
    if (!is_zero({block, padding_})) return refused("the padding of an entry is not zero");
    padding_ = 0;
  }
  BATON_TRY(read_block(block, sizeof block, "a header"));
  const std::string_view header(block, sizeof block);
  if (is_zero(header)) {
    BATON_TRY(read_block(block, sizeof block, "the end mark"));
    if (!is_zero(header)) return refused("a header after the end mark");
    BATON_ASSIGN(std::size_t more, source_(block, 1));
    if (more != 0) return refused("data after the end mark");
    return std::optional<TarEntry>();
  }

  const std::optional<std::uint64_t> sum = get_octal(header, {kSum.at, 7});
  if (!sum || *sum != checksum(header)) return refused("a header whose checksum is wrong");
  TarEntry entry;
  const std::string_view prefix = get_text(header, kPrefix);
  entry.path = prefix.empty() ? "" : std::string(prefix) + "/";
  entry.path += get_text(header, kName);
  // The name first, so that every refusal after it can say which entry is meant.
  const Result<void> path = check_path(entry.path);
  if (!path.ok()) return path.error();
  auto wrong = [&](const std::string& what) { return refused(entry.path + ": " + what); };
  if (header[kType] != '0')
    return wrong(std::string(type_name(header[kType])) +
                 "; only regular files have a place in a bundle");
  const std::optional<std::uint64_t> mode = get_octal(header, kMode);
  const std::optional<std::uint64_t> size = get_octal(header, kSize);
  if (!mode || !size) return wrong("a mode or size that is no number");
  if ((*mode & 07000) != 0)
    return wrong("setuid, setgid or sticky; a module is never run by itself");
  entry.mode = static_cast<std::uint32_t>(*mode);
  entry.size = *size;
  if (tar_header(entry) != header)
    return wrong("a header that baton pack does not write (owner, time, or other fields)");
  left_ = entry.size;
  padding_ = tar_padding(entry.size);
  return std::optional<TarEntry>(std::move(entry));
}

Result<std::size_t> TarReader::read(char* buffer, std::size_t size) {
  const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(size, left_));
  if (wanted == 0) return std::size_t{0};
  BATON_ASSIGN(std::size_t n, source_(buffer, wanted));
  if (n == 0) return refused("truncated: it ends inside a file");
  left_ -= n;
  return n;
}

// ---- Zstandard ----------------------------------------------------------------------------------

struct Compressor::Context {
  std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> zstd{ZSTD_createCCtx(), ZSTD_freeCCtx};
  std::string output = std::string(ZSTD_CStreamOutSize(), '\0');
};

Compressor::Compressor(std::uint64_t size, Sink sink)
    : context_(std::make_unique<Context>()), sink_(std::move(sink)), left_(size) {
  ZSTD_CCtx* zstd = context_->zstd.get();
  BATON_CHECK(zstd != nullptr, "no memory for libzstd");
  // One thread: more would make the bytes depend on how many there are.
  for (auto [parameter, value] :
       {std::pair(ZSTD_c_compressionLevel, kZstdLevel),
        std::pair(ZSTD_c_windowLog, kWindowLogMax - 1), std::pair(ZSTD_c_checksumFlag, 1),
        std::pair(ZSTD_c_contentSizeFlag, 1)})
    BATON_CHECK(!ZSTD_isError(ZSTD_CCtx_setParameter(zstd, parameter, value)));
  BATON_CHECK(!ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(zstd, size)));
}

Compressor::~Compressor() = default;

Result<void> Compressor::run(std::string_view bytes, bool is_end) {
  ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
  for (;;) {
    ZSTD_outBuffer output{context_->output.data(), context_->output.size(), 0};
    const std::size_t left = ZSTD_compressStream2(context_->zstd.get(), &output, &input,
                                                  is_end ? ZSTD_e_end : ZSTD_e_continue);
    if (ZSTD_isError(left))
      return Error(Code::kFailed, std::string("compression failed: ") + ZSTD_getErrorName(left));
    if (output.pos > 0) BATON_TRY(sink_({context_->output.data(), output.pos}));
    if (is_end ? left == 0 : input.pos == input.size) return {};
  }
}

Result<void> Compressor::write(std::string_view bytes) {
  BATON_CHECK(bytes.size() <= left_);
  left_ -= bytes.size();
  return run(bytes, false);
}

Result<void> Compressor::finish() {
  BATON_CHECK(left_ == 0);
  return run({}, true);
}

struct Decompressor::Context {
  std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> zstd{ZSTD_createDCtx(), ZSTD_freeDCtx};
  std::string buffer = std::string(64 * 1024, '\0');
  ZSTD_inBuffer input{buffer.data(), 0, 0};
};

Decompressor::Decompressor(std::uint64_t size_max, Source source)
    : context_(std::make_unique<Context>()), source_(std::move(source)), size_max_(size_max) {
  BATON_CHECK(context_->zstd != nullptr, "no memory for libzstd");
  BATON_CHECK(!ZSTD_isError(
      ZSTD_DCtx_setParameter(context_->zstd.get(), ZSTD_d_windowLogMax, kWindowLogMax)));
}

Decompressor::~Decompressor() = default;

/// Reads more input; `input.size` stays at `input.pos` when there is none.
Result<void> Decompressor::fill() {
  BATON_CHECK(context_->input.pos == context_->input.size);
  BATON_ASSIGN(std::size_t n, source_(context_->buffer.data(), context_->buffer.size()));
  context_->input = {context_->buffer.data(), n, 0};
  return {};
}

/// Looks at the frame's header before libzstd allocates anything for it.
Result<void> Decompressor::begin() {
  constexpr std::size_t kHeaderBytesMax = 18;
  std::size_t have = 0;
  while (have < kHeaderBytesMax) {
    BATON_ASSIGN(std::size_t n,
                 source_(context_->buffer.data() + have, context_->buffer.size() - have));
    if (n == 0) break;
    have += n;
  }
  context_->input = {context_->buffer.data(), have, 0};
  constexpr unsigned char kFrame[] = {0x28, 0xb5, 0x2f, 0xfd};
  if (have < sizeof kFrame || std::memcmp(context_->buffer.data(), kFrame, sizeof kFrame) != 0)
    return refused("not a Zstandard frame");
  const unsigned long long declared = ZSTD_getFrameContentSize(context_->buffer.data(), have);
  if (declared == ZSTD_CONTENTSIZE_UNKNOWN || declared == ZSTD_CONTENTSIZE_ERROR)
    return refused("a frame that does not declare its size");
  if (declared > size_max_)
    return refused("the frame declares " + std::to_string(declared) + " bytes, allowed are " +
                   std::to_string(size_max_));
  size_ = declared;
  has_begun_ = true;
  return {};
}

Result<void> Decompressor::check_end() {
  BATON_CHECK(written_ <= size_, "more was handed on than the frame declares");
  if (written_ != size_)
    return refused("a false size: the frame ends after " + std::to_string(written_) + " of " +
                   std::to_string(size_) + " bytes");
  if (context_->input.pos == context_->input.size) BATON_TRY(fill());
  if (context_->input.pos != context_->input.size)
    return refused("data after the frame: a bundle's payload is one frame");
  has_ended_ = true;
  return {};
}

Result<std::size_t> Decompressor::read(char* buffer, std::size_t size) {
  if (has_ended_ || size == 0) return std::size_t{0};
  if (!has_begun_) BATON_TRY(begin());
  ZSTD_outBuffer output{buffer, size, 0};
  for (;;) {
    if (context_->input.pos == context_->input.size) {
      BATON_TRY(fill());
      if (context_->input.size == 0) return refused("truncated: it ends inside the frame");
    }
    const std::size_t left = ZSTD_decompressStream(context_->zstd.get(), &output, &context_->input);
    if (ZSTD_isError(left)) {
      if (ZSTD_getErrorCode(left) == ZSTD_error_frameParameter_windowTooLarge)
        return refused("a window larger than " + std::to_string(1 << (kWindowLogMax - 20)) +
                       " MiB");
      return refused(std::string("damaged: ") + ZSTD_getErrorName(left));
    }
    if (output.pos > size_ - written_)
      return refused("a false size: the frame holds more than the " + std::to_string(size_) +
                     " bytes it declares");
    if (left == 0) {
      written_ += output.pos;
      BATON_TRY(check_end());
      return output.pos;
    }
    if (output.pos > 0) {
      written_ += output.pos;
      return output.pos;
    }
  }
}

}  // namespace baton::bundle
