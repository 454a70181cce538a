// Text files as UTF-8: byte order marks, other encodings through ICU, and the check that text is what it says.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "sluice/io/byte_stream.h"

namespace sluice {

// A text file that can be opened again and again, as multi-pass readers do.
struct TextFile {
  std::shared_ptr<const File> file;
  Compression compression = Compression::kNone;
};

// The file's text as UTF-8 without a byte order mark. `encoding` "" or "UTF-8" passes the bytes as they are (see valid_utf8); any other
// name ICU knows (ISO-8859-1, GB18030, UTF-16, windows-1252, ...) is converted as it is read. Throws Error{kUsage} for an unknown name,
// Error{kBadInput} naming the byte where the file is not in that encoding, or when it is marked as UTF-16 and no encoding is given.
std::unique_ptr<ByteStream> open_text(const TextFile& text, const std::string& encoding);

// Strict UTF-8: no overlong forms, no surrogates, nothing past U+10FFFF. ASCII at several GB/s.
bool valid_utf8(std::string_view text);

// The error for text that is not: it names the place and the option.
[[noreturn]] void fail_utf8(const std::string& where);

}  // namespace sluice
