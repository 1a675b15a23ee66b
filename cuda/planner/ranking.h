// Ranks the candidates of a problem, picks one, and tells why.
#pragma once
#include <string>
#include <vector>

#include "../host/problem.h"
#include "candidate.h"

namespace ffc {

// Why a family offers nothing for this problem.
struct Refusal {
  std::string family, reason;
};

struct Candidates {
  std::vector<Candidate> list;
  std::vector<Refusal> refusals;
};

class Ranking {
 public:
  // Takes the least predicted time among those that the problem's `algorithm` and `candidate` leave. Throws
  // FFC_INVALID_ARGUMENT for a candidate that does not exist, FFC_UNSUPPORTED where the algorithm asked for offers
  // nothing, FFC_LIMIT_EXCEEDED where nothing does.
  Ranking(const Candidates& candidates, const ConvProblem& problem, const Constants& constants);

  size_t index() const { return chosen_; }  // in candidates.list
  const Candidate& candidate() const { return entries_[position_].candidate; }
  const Prediction& prediction() const { return entries_[position_].prediction; }

  // Members of the planner's JSON object, from "candidate" to "candidates", beginning with a comma.
  std::string json() const;

 private:
  struct Entry {
    Candidate candidate;
    Prediction prediction;
    size_t index = 0;
    bool eligible = true;
  };
  std::string reasonFor(const Entry& entry) const;

  std::vector<Entry> entries_;  // the quickest first
  std::vector<Refusal> refusals_;
  std::string constantsSource_, forcedCandidate_;
  int32_t forcedAlgorithm_;
  size_t chosen_ = 0, position_ = 0;
};

// A JSON string.
std::string quotedJson(const std::string& text);

}  // namespace ffc
