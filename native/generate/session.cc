#include "generate/session.h"

#include <algorithm>
#include <string>

#include "generate/cached_model.h"
#include "model/ends.h"

namespace signum {
namespace {

constexpr size_t kUsualContext = 4096;
constexpr size_t kReadTokens = 512;  // at once: enough for large products

}  // namespace

size_t usual_context(const ModelConfig& config) { return std::min(config.context, kUsualContext); }

Result<GenerationSession> GenerationSession::load(std::shared_ptr<const Model> model, size_t context,
                                                  ThreadPool& pool) {
  if (context == 0) context = usual_context(model->config());
  SIGNUM_TAKE(CachedModel cached, CachedModel::load(std::move(model), context, pool));
  return GenerationSession(std::make_unique<CachedModel>(std::move(cached)));
}

GenerationSession::GenerationSession(std::unique_ptr<TokenReader> reader)
    : reader_(std::move(reader)), last_(reader_->model().config().vocabulary) {}

Status GenerationSession::check(const GenerationRequest& request) const {
  if (request.tokens.empty()) return Error{"tokens_invalid", "The prompt has no tokens.", ""};
  SIGNUM_TRY(check_tokens(model(), request.tokens));
  SIGNUM_TRY(check_tokens(model(), request.stop_tokens));
  if (request.tokens.size() > context())
    return Error{"context_too_long",
                 "A prompt of " + std::to_string(request.tokens.size()) + " tokens is longer than the " +
                     std::to_string(context()) + " that this session's cache holds.",
                 ""};
  if (request.max_tokens == 0) return Error{"sampling_invalid", "max_tokens must be at least 1.", ""};
  return check_sampling(request.sampling);
}

Result<bool> GenerationSession::read(std::span<const uint32_t> tokens, const Listener& listener,
                                     ThreadPool& pool) {
  for (size_t first = 0; first < tokens.size(); first += kReadTokens) {
    if (listener.halted()) return false;
    const auto some = tokens.subspan(first, std::min(kReadTokens, tokens.size() - first));
    const bool last = first + some.size() == tokens.size();
    SIGNUM_TRY(reader_->read(some, last ? std::span<float>(last_) : std::span<float>(), pool));
    held_.insert(held_.end(), some.begin(), some.end());
  }
  return true;
}

Result<Generation> GenerationSession::generate(const GenerationRequest& request, const Listener& listener,
                                               ThreadPool& pool) {
  SIGNUM_TRY(check(request));
  const auto same = std::ranges::mismatch(request.tokens, held_).in1 - request.tokens.begin();
  Generation answer;
  // The last token is read again: its logits are wanted.
  answer.reused_tokens = std::min(size_t(same), request.tokens.size() - 1);
  reader_->truncate(answer.reused_tokens);
  held_.resize(answer.reused_tokens);
  Sampler sampler(request.sampling);
  std::vector<uint32_t> unread(request.tokens.begin() + long(answer.reused_tokens), request.tokens.end());
  for (;;) {
    SIGNUM_TAKE(const bool all, read(unread, listener, pool));
    if (!all) return answer;
    SIGNUM_TAKE(const uint32_t token, sampler.draw(last_));
    if (std::ranges::find(request.stop_tokens, token) != request.stop_tokens.end()) {
      answer.end = GenerationEnd::StopToken;
      return answer;
    }
    listener.token(answer.tokens++, token);
    if (answer.tokens == request.max_tokens || held_.size() == context()) {
      answer.end = answer.tokens == request.max_tokens ? GenerationEnd::Length : GenerationEnd::Context;
      return answer;
    }
    unread.assign(1, token);
  }
}

}  // namespace signum
