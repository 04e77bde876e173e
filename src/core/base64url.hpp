// Base64url without padding (RFC 7515), strictly: one text for one value. A lax decoder would let
// the same signed bytes travel as many texts.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace entitle {

// Decodes the text. Returns: none for a character outside the alphabet, padding, a length that no
// value has, or bits left over that are not zero.
std::optional<std::string> decode_base64url(std::string_view text);

} // namespace entitle
