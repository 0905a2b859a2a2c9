// SPDX-License-Identifier: MIT
// `POST /v1/x/<method>` about jobs: the first three by users at any node, the others by targets on
// the control listeners of gateways.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/job.h"

namespace aisfs::wire {

inline constexpr std::string_view kStartJobMethod = "start_job";
inline constexpr std::string_view kStopJobsMethod = "stop_jobs";
inline constexpr std::string_view kListJobsMethod = "list_jobs";
inline constexpr std::string_view kReportJobsMethod = "report_jobs";
inline constexpr std::string_view kJobNamesMethod = "job_names";

/// The id is made by whoever asks first: sent twice it is one job.
struct StartJobRequest {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  std::string id;
  JobSpec spec;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(id, spec);
  }
};

/// stop_jobs, list_jobs
struct JobsRequest {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  JobQuery query;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(query);
  }
};

/// list_jobs, report_jobs
struct JobsReply {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  std::vector<Job> jobs;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(jobs);
  }
};

/// start_job: the id of the job that runs. stop_jobs: those that were told to, a line each.
struct JobIdReply {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  std::string id;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(id);
  }
};

struct JobReport {
  std::string id;
  JobProgress progress;

  template <class A>
  void serialize(A& ar) {
    ar(id, progress);
  }
};

/// A target says how far it is. The answer: all jobs that run, each with what is known of this
/// target alone.
struct ReportJobsRequest {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  std::string node;
  std::vector<JobReport> reports;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(node, reports);
  }
};

/// job_names: the list of names of a job that has one.
struct JobNamesRequest {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  std::string id;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(id);
  }
};
/// As it is stored, too.
struct JobNames {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  std::vector<std::string> names;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(names);
  }
};

}  // namespace aisfs::wire
