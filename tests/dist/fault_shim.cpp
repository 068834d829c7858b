// Preloaded into plume, it lets something befall one rank in the midst of a collective, through MPI's profiling interface: a
// call that the communicator makes lands here, and goes on to the same one in MPI under its second name.
// PLUME_FAULT=KIND:RANK:CALL with KIND exit0, exit1 or delay (for ever), at that rank's CALL-th collective, counted from 1.
// Source: MPI 3.1, section 14.2.
#include <mpi.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <sstream>
#include <string>

namespace {

struct Fault {
  std::string kind;
  int rank = -1;
  long call = 0;
};

Fault fault_from(const char* text) {
  Fault fault;
  std::istringstream words(text == nullptr ? "" : text);
  char colon = 0;
  std::getline(words, fault.kind, ':');
  words >> fault.rank >> colon >> fault.call;
  return fault;
}

void before_collective() {
  static const Fault fault = fault_from(std::getenv("PLUME_FAULT"));
  static std::atomic<long> calls{0};
  int rank = -1;
  PMPI_Comm_rank(MPI_COMM_WORLD, &rank);
  if (rank != fault.rank || ++calls != fault.call) return;
  if (fault.kind == "exit0") ::_exit(0);
  if (fault.kind == "exit1") ::_exit(1);
  for (;;) ::sleep(1);
}

}  // namespace

extern "C" {

int MPI_Ibcast(void* data, int count, MPI_Datatype type, int root, MPI_Comm group, MPI_Request* request) {
  before_collective();
  return PMPI_Ibcast(data, count, type, root, group, request);
}

int MPI_Iallgather(const void* own, int own_count, MPI_Datatype own_type, void* all, int count, MPI_Datatype type,
                   MPI_Comm group, MPI_Request* request) {
  before_collective();
  return PMPI_Iallgather(own, own_count, own_type, all, count, type, group, request);
}

int MPI_Iallgatherv(const void* own, int own_count, MPI_Datatype own_type, void* all, const int counts[],
                    const int offsets[], MPI_Datatype type, MPI_Comm group, MPI_Request* request) {
  before_collective();
  return PMPI_Iallgatherv(own, own_count, own_type, all, counts, offsets, type, group, request);
}

int MPI_Ialltoallv(const void* from, const int sent[], const int from_offsets[], MPI_Datatype sent_type, void* to,
                   const int received[], const int to_offsets[], MPI_Datatype type, MPI_Comm group,
                   MPI_Request* request) {
  before_collective();
  return PMPI_Ialltoallv(from, sent, from_offsets, sent_type, to, received, to_offsets, type, group, request);
}

}  // extern "C"
