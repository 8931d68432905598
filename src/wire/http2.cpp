// Frames are followed up to the first header block of each direction: the first request, and its answer.
#include "wire/http2.hpp"

#include <array>

#include "wire/host_name.hpp"
#include "wire/hpack.hpp"
#include "wire/http_text.hpp"

namespace slowtrace::wire {
namespace {

// RFC 9113 §3.4.
constexpr std::string_view preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr std::size_t frame_header_size = 9, max_block = 16'384, look = 4'096;
constexpr int max_frames = 64;
constexpr std::uint64_t headers_frame = 1, settings_frame = 4, continuation_frame = 9;
constexpr std::uint64_t end_headers = 0x04, padded = 0x08, with_priority = 0x20;
constexpr std::uint32_t version_2 = 20, first_final_status = 200;

struct Side {
    std::size_t preface_left = 0;
    std::array<std::uint8_t, frame_header_size> header{};
    std::size_t header_read = 0;
    std::uint64_t body_left = 0, flags = 0;
    int frames = 0;
    bool in_block = false;              // the frame under way carries part of the header block
    std::vector<std::uint8_t> payload;  // of that frame
    std::vector<std::uint8_t> block;    // put together from HEADERS and CONTINUATION
    bool settled = false;
};

// A HEADERS frame's part of the block: without padding and priority (RFC 9113 §6.2). Nothing when they do not fit.
std::optional<Octets> fragment_of(Octets payload, std::uint64_t type, std::uint64_t flags) {
    OctetReader reader(payload);
    if (type == continuation_frame) return payload;
    const std::uint64_t padding = (flags & padded) != 0 ? reader.number(1) : 0;
    if ((flags & with_priority) != 0) reader.take(5);
    if (reader.cut() || padding > reader.rest().size()) return std::nullopt;
    return reader.rest().first(reader.rest().size() - static_cast<std::size_t>(padding));
}

class Http2 : public Protocol {
   public:
    Http2() { sides_[0].preface_left = preface.size(); }
    std::size_t wanted(Flow flow) const override { return sides_[index(flow)].settled ? 0 : look; }
    std::size_t take(Flow flow, Octets octets, Facts& facts) override;
    void skip(Flow flow, std::uint64_t size, Facts&) override {
        Side& side = sides_[index(flow)];
        if (size > side.body_left || (size > 0 && side.in_block)) side.settled = true;
        side.body_left -= std::min(size, side.body_left);
    }
    bool settled() const override { return sides_[0].settled && sides_[1].settled; }

   private:
    static std::size_t index(Flow flow) { return static_cast<std::size_t>(flow); }
    void start_frame(Side& side);
    void end_frame(Flow flow, Facts& facts);
    void tell(Flow flow, const HeaderBlock& block, Facts& facts);
    std::array<Side, 2> sides_;
};

std::size_t Http2::take(Flow flow, Octets octets, Facts& facts) {
    const std::size_t size = octets.size();
    Side& side = sides_[index(flow)];
    const std::size_t passed = std::min(side.preface_left, size);  // compared before this protocol was chosen
    side.preface_left -= passed;
    octets = octets.subspan(passed);
    while (!octets.empty() && !side.settled) {
        if (side.header_read < frame_header_size) {
            side.header[side.header_read++] = octets[0];
            octets = octets.subspan(1);
            if (side.header_read == frame_header_size) start_frame(side);
        } else {
            const Octets part =
                octets.first(static_cast<std::size_t>(std::min<std::uint64_t>(side.body_left, octets.size())));
            octets = octets.subspan(part.size());
            side.body_left -= part.size();
            if (side.in_block) side.payload.insert(side.payload.end(), part.begin(), part.end());
        }
        if (side.header_read == frame_header_size && side.body_left == 0 && !side.settled) end_frame(flow, facts);
    }
    return size;
}

void Http2::start_frame(Side& side) {
    OctetReader header(side.header);
    side.body_left = header.number(3);
    const std::uint64_t type = header.number(1);
    side.flags = header.number(1);
    const bool first = side.frames++ == 0;
    side.in_block = type == headers_frame || (type == continuation_frame && !side.block.empty());
    const bool too_long = side.in_block && side.block.size() + side.body_left > max_block;
    // Both ends begin with their settings; within a block come only its continuations (RFC 9113 §3.4, §6.10).
    if ((first && type != settings_frame) || side.frames > max_frames || too_long ||
        (!side.block.empty() && type != continuation_frame))
        side.settled = true;
}

void Http2::end_frame(Flow flow, Facts& facts) {
    Side& side = sides_[index(flow)];
    side.header_read = 0;
    if (!std::exchange(side.in_block, false)) return;
    const std::vector<std::uint8_t> payload = std::exchange(side.payload, {});
    const auto fragment = fragment_of(payload, side.header[3], side.flags);
    if (!fragment) {
        side.settled = true;
        return;
    }
    side.block.insert(side.block.end(), fragment->begin(), fragment->end());
    if ((side.flags & end_headers) == 0) return;
    const auto block = read_header_block(std::exchange(side.block, {}));
    side.settled = true;
    if (block) tell(flow, *block, facts);
}

void Http2::tell(Flow flow, const HeaderBlock& block, Facts& facts) {
    if (flow == Flow::received) {
        const auto status = read_status_line("HTTP/1.1 " + block.status);
        if (!status) return;
        facts.response(status->status, version_2);
        sides_[index(flow)].settled = status->status >= first_final_status;
        return;
    }
    if (method_token(block.method)) facts.request(block.method, version_2);
    if (const auto authority = checked_authority(block.authority))
        facts.name(model::NameClaim::HTTP2_AUTHORITY, authority->host, authority->port);
}

}  // namespace

Match match_http2(Octets opening) {
    const std::string_view begun = text_of(opening).substr(0, preface.size());
    if (!preface.starts_with(begun)) return Match::no;
    return begun.size() == preface.size() ? Match::yes : Match::maybe;
}

std::unique_ptr<Protocol> make_http2() {
    return std::make_unique<Http2>();
}

}  // namespace slowtrace::wire
