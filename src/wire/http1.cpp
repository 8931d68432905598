// The first request and its answer; behind a proxy every request, for each may be for another host, and where interim
// responses came before the final one, for they may again.
//
// Bodies are never followed: what is sent after an answer began is looked at as a request, and left alone when it is
// none.
#include "wire/http1.hpp"

#include "wire/http_text.hpp"
#include "wire/line_reader.hpp"

namespace slowtrace::wire {
namespace {

constexpr std::size_t max_head = 16'384;
constexpr std::size_t head_look = 4'096, status_look = 512;
constexpr std::uint32_t first_final_status = 200, switching_protocols = 101;

enum class Expects {
    nothing,     // bodies, or the other side's turn
    first_line,  // a request or status line
    fields,      // the rest of the head
};

class Http1 : public Protocol {
   public:
    std::size_t wanted(Flow flow) const override {
        if (flow == Flow::sent) return sent_ == Expects::nothing ? 0 : head_look;
        return received_ == Expects::nothing ? 0 : tunnel_ ? head_look : status_look;
    }
    std::size_t take(Flow flow, Octets octets, Facts& facts) override {
        return flow == Flow::sent ? take_sent(octets, facts) : take_received(octets, facts);
    }
    void skip(Flow flow, std::uint64_t size, Facts&) override {
        if (size == 0) return;
        if ((flow == Flow::sent ? sent_ : received_) != Expects::nothing) settle();
        hasty_ = hasty_ || (flow == Flow::sent && tunnel_);
    }
    bool settled() const override {
        return sent_ == Expects::nothing && received_ == Expects::nothing && !tunnel_open_;
    }
    bool tunnel_open() const override { return tunnel_open_; }

   private:
    std::size_t take_sent(Octets octets, Facts& facts);
    std::size_t take_received(Octets octets, Facts& facts);
    void request_line(std::string_view line, Facts& facts);
    void request_field(std::string_view line, Facts& facts);
    void status_line(std::string_view line, Facts& facts);
    void answer_ends(Facts& facts);
    void settle() { sent_ = received_ = Expects::nothing; }

    Expects sent_ = Expects::first_line, received_ = Expects::nothing;
    LineReader sent_lines_{max_head}, received_lines_{max_head};
    bool proxied_ = false;   // to a proxy: its requests name their hosts one by one
    bool interims_ = false;  // there were interim responses
    bool tunnel_ = false;    // the request now under way asks for one
    bool granted_ = false;   // and is granted, once the answer's head is over
    bool hasty_ = false;     // what belongs into the tunnel was sent before it was granted: its beginning is lost
    bool tunnel_open_ = false;
    bool interim_ = false;      // the answer's head now read is not the last
    std::uint32_t status_ = 0;  // it says
};

std::size_t Http1::take_sent(Octets octets, Facts& facts) {
    const std::size_t size = octets.size();
    const bool may_be_body = (proxied_ || interims_) && sent_ == Expects::first_line;
    if (size > 0) hasty_ = tunnel_ && sent_ == Expects::nothing;
    while (!octets.empty() && sent_ != Expects::nothing) {
        const bool whole = sent_lines_.take(octets);
        const std::string_view line = sent_lines_.line();
        const bool blank = line.empty() || line == "\r";
        if (sent_ == Expects::first_line && !blank && match_request(line) == Match::no) {
            if (!may_be_body) settle();
            sent_lines_.restart();
            return size;
        }
        if (!whole) {
            if (sent_lines_.full()) settle();
            continue;
        }
        if (sent_ == Expects::fields)
            request_field(line, facts);
        else if (!blank)
            request_line(line, facts);
    }
    hasty_ = hasty_ || (tunnel_ && !octets.empty());
    return size;
}

void Http1::request_line(std::string_view line, Facts& facts) {
    const auto request = read_request_line(line);
    if (!request) return settle();
    facts.request(request->method, request->version);
    tunnel_ = request->form == TargetForm::authority;
    granted_ = false;
    proxied_ = proxied_ || request->form != TargetForm::origin;
    if (request->target)
        facts.name(tunnel_ ? model::NameClaim::HTTP_CONNECT : model::NameClaim::HTTP_TARGET, request->target->host,
                   request->target->port);
    sent_ = Expects::fields;
    received_ = Expects::first_line;
    received_lines_.restart();
}

void Http1::request_field(std::string_view line, Facts& facts) {
    if (line.empty()) {
        sent_ = Expects::nothing;
        sent_lines_.restart();
        return;
    }
    const auto value = proxied_ ? std::nullopt : host_field(line);
    if (!value) return;
    if (const auto host = checked_authority(*value)) facts.name(model::NameClaim::HTTP_HOST, host->host, host->port);
    sent_ = Expects::nothing;
}

std::size_t Http1::take_received(Octets octets, Facts& facts) {
    const std::size_t size = octets.size();
    while (!octets.empty() && received_ != Expects::nothing) {
        if (!received_lines_.take(octets)) {
            if (received_lines_.full()) settle();
            continue;
        }
        const std::string_view line = received_lines_.line();
        if (received_ == Expects::first_line)
            status_line(line, facts);
        else if (line.empty())
            answer_ends(facts);
    }
    return tunnel_open_ ? size - octets.size() : size;
}

void Http1::status_line(std::string_view line, Facts& facts) {
    const auto status = read_status_line(line);
    if (!status) return settle();
    facts.response(status->status, status->version);
    interim_ = status->status < first_final_status && status->status != switching_protocols;
    status_ = status->status;
    granted_ = tunnel_ && status_ / 100 == 2;
    received_ = Expects::fields;
    if (!interim_ && !granted_) answer_ends(facts);
}

// Of the final answer nothing more is worth knowing; what follows a proxy's grant is the tunnel's.
void Http1::answer_ends(Facts& facts) {
    received_ = interim_ ? Expects::first_line : Expects::nothing;
    received_lines_.restart();
    interims_ = interims_ || interim_;
    if (interim_) return;
    if (tunnel_) facts.proxy(status_, granted_);
    tunnel_open_ = granted_ && sent_ == Expects::nothing && !hasty_;
    if (granted_ && !tunnel_open_) return settle();
    if ((proxied_ || interims_) && !granted_) {
        sent_ = Expects::first_line;
        sent_lines_.restart();
    }
}

}  // namespace

Match match_http1(Octets opening) {
    return match_request(text_of(opening));
}

std::unique_ptr<Protocol> make_http1() {
    return std::make_unique<Http1>();
}

}  // namespace slowtrace::wire
