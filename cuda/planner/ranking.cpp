#include "ranking.h"

#include <algorithm>

#include "../host/algorithm_name.h"
#include "../host/number_text.h"
#include "../host/status.h"

namespace ffc {
namespace {

// Is the candidate an answer to this FFC_ALGORITHM_*?
bool answers(const Candidate& c, int32_t algorithm) {
  switch (algorithm) {
    case FFC_ALGORITHM_AUTO: return true;
    case FFC_ALGORITHM_FFT: return c.points > 0 && !c.windowed;
    case FFC_ALGORITHM_OVERLAP_SAVE: return c.windowed;
    default: return c.family == algorithmName(algorithm);  // a family is named after its algorithm
  }
}

// The work and the limits of each pass: what the constants are fitted to.
std::string passesJson(const Candidate& candidate, const Prediction& prediction) {
  const auto ms = [](double ns) { return numberText(ns * 1e-6); };
  std::string out;
  for (size_t i = 0; i < candidate.passes.size(); ++i) {
    const Pass& pass = candidate.passes[i];
    const PassLimits& limits = prediction.passes[i];
    out += std::string(i ? "," : "") + "{\"launches\":" + numberText(pass.launches) +
           ",\"units\":" + numberText(pass.units) +
           ",\"slots\":" + numberText(pass.slots) + ",\"filling\":" + numberText(pass.filling) +
           ",\"deviceMs\":" + ms(limits.deviceNs) + ",\"l2Ms\":" + ms(limits.l2Ns) +
           ",\"sharedMs\":" + ms(limits.sharedNs) +
           ",\"tensorMs\":" + ms(limits.tensorNs) + ",\"coreMs\":" + ms(limits.coreNs) + "}";
  }
  return out;
}

std::string joined(const std::vector<Refusal>& refusals) {
  std::string text;
  for (const Refusal& r : refusals) text += (text.empty() ? "" : "; ") + r.family + ": " + r.reason;
  return text;
}

// A list in a message stays readable: the quickest few.
std::string namesOf(const std::vector<std::string>& names) {
  constexpr size_t most = 12;
  std::string text;
  for (size_t i = 0; i < std::min(most, names.size()); ++i) text += (i ? ", " : "") + names[i];
  return names.size() > most ? text + " and " + std::to_string(names.size() - most) + " more" : text;
}

}  // namespace

std::string quotedJson(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + "\"";
}

Ranking::Ranking(const Candidates& candidates, const ConvProblem& problem, const Constants& constants)
    : refusals_(candidates.refusals),
      constantsSource_(constants.source),
      forcedCandidate_(problem.candidate),
      forcedAlgorithm_(problem.algorithm) {
  for (size_t i = 0; i < candidates.list.size(); ++i) {
    const Candidate& c = candidates.list[i];
    entries_.push_back({c, predict(c, constants), i, answers(c, problem.algorithm)});
  }
  // Stable, so that equal predictions keep the order of the families and a plan is the same in every run.
  std::stable_sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
    return a.prediction.rankNs < b.prediction.rankNs;
  });
  for (size_t i = 1; i < entries_.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (entries_[i].candidate.name == entries_[j].candidate.name)
        throw Error(FFC_INTERNAL_ERROR, "two candidates are called " + entries_[i].candidate.name);

  std::vector<std::string> eligible;
  bool found = false;
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (!entries_[i].eligible) continue;
    eligible.push_back(entries_[i].candidate.name);
    if (found || (!problem.candidate.empty() && entries_[i].candidate.name != problem.candidate)) continue;
    found = true;
    position_ = i;
    chosen_ = entries_[i].index;
  }
  if (found) return;
  const std::string why = joined(refusals_), because = why.empty() ? "" : ". " + why;
  if (eligible.empty() && problem.algorithm != FFC_ALGORITHM_AUTO) {
    std::string others;
    for (const Entry& r : entries_)
      if (others.find(r.candidate.family) == std::string::npos)
        others += (others.empty() ? "" : ", ") + r.candidate.family;
    throw Error(FFC_UNSUPPORTED, std::string("algorithm ") + algorithmName(problem.algorithm) +
                                     " cannot run this problem on this device" + because +
                                     ". Offered here: " + (others.empty() ? "nothing" : others));
  }
  if (eligible.empty())
    throw Error(FFC_LIMIT_EXCEEDED, "nothing here runs length " + std::to_string(problem.length) +
                                        " with a kernel of " + std::to_string(problem.kernelLength) + " samples" +
                                        because);
  throw Error(FFC_INVALID_ARGUMENT, "there is no candidate \"" + problem.candidate.substr(0, 80) +
                                        "\" for this problem; there are " + namesOf(eligible) + because);
}

std::string Ranking::reasonFor(const Entry& entry) const {
  if (!entry.eligible) return std::string("algorithm ") + algorithmName(forcedAlgorithm_) + " was asked for";
  if (&entry == &entries_[position_]) {
    if (!forcedCandidate_.empty()) return "asked for by name";
    return std::string("the least predicted time") +
           (forcedAlgorithm_ == FFC_ALGORITHM_AUTO ? "" : " of this algorithm");
  }
  const double times = entry.prediction.rankNs / prediction().rankNs;
  return numberText(times, 2, std::chars_format::fixed) + " times the chosen one's time";
}

std::string Ranking::json() const {
  const auto ms = [](double ns) { return numberText(ns * 1e-6); };
  const bool forced = forcedAlgorithm_ != FFC_ALGORITHM_AUTO || !forcedCandidate_.empty();
  std::string out = ",\"candidate\":" + quotedJson(candidate().name) + ",\"family\":" + quotedJson(candidate().family) +
                    ",\"forced\":" + (forced ? "true" : "false") + ",\"predictedMs\":" + ms(prediction().totalNs) +
                    ",\"bottleneck\":" + quotedJson(prediction().bottleneck) +
                    ",\"constants\":" + quotedJson(constantsSource_) + ",\"candidates\":[";
  bool first = true;
  for (const Entry& r : entries_) {
    const Candidate& c = r.candidate;
    const Prediction& p = r.prediction;
    const Pass sum = totalOf(c);
    std::string radices;
    for (const int radix : c.radices) radices += (radices.empty() ? "" : ",") + std::to_string(radix);
    out += std::string(first ? "" : ",") + "{\"name\":" + quotedJson(c.name) + ",\"family\":" + quotedJson(c.family) +
           ",\"algorithm\":" + quotedJson(algorithmName(c.algorithm)) + ",\"usable\":" +
           (r.eligible ? "true" : "false") +
           ",\"chosen\":" + (&r == &entries_[position_] ? "true" : "false") +
           ",\"order\":" + std::to_string(c.radices.size()) + ",\"radices\":[" + radices + "]" +
           ",\"transformLength\":" + std::to_string(c.points) + ",\"segments\":" + std::to_string(c.segments) +
           ",\"tensorFlops\":" + numberText(sum.tensorFlops) + ",\"coreFlops\":" + numberText(sum.coreFlops) +
           ",\"deviceBytes\":" + numberText(sum.deviceBytes) + ",\"l2Bytes\":" + numberText(sum.l2Bytes) +
           ",\"sharedBytes\":" + numberText(sum.sharedBytes) + ",\"launches\":" + numberText(p.launches) +
           ",\"deviceMs\":" + ms(p.deviceNs) + ",\"l2Ms\":" + ms(p.l2Ns) + ",\"sharedMs\":" + ms(p.sharedNs) +
           ",\"tensorMs\":" + ms(p.tensorNs) + ",\"coreMs\":" + ms(p.coreNs) + ",\"floorMs\":" + ms(p.floorNs) +
           ",\"modelMs\":" + ms(c.modelNs) +
           ",\"efficiency\":" + numberText(p.efficiency) + ",\"key\":" + quotedJson(c.key) +
           ",\"latencyMs\":" + ms(p.latencyNs) +
           ",\"predictedMs\":" + ms(p.totalNs) + ",\"bottleneck\":" + quotedJson(p.bottleneck) +
           ",\"reason\":" + quotedJson(reasonFor(r)) + ",\"passes\":[" + passesJson(c, p) + "]}";
    first = false;
  }
  out += "],\"refused\":[";
  for (size_t i = 0; i < refusals_.size(); ++i)
    out += std::string(i ? "," : "") + "{\"family\":" + quotedJson(refusals_[i].family) +
           ",\"reason\":" + quotedJson(refusals_[i].reason) + "}";
  return out + "]";
}

}  // namespace ffc
