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

int MPI_Ibcast(void* buffer, int count, MPI_Datatype datatype, int root, MPI_Comm comm, MPI_Request* request) {
  before_collective();
  return PMPI_Ibcast(buffer, count, datatype, root, comm, request);
}

int MPI_Iallgather(const void* sendbuf, int sendcount, MPI_Datatype sendtype, void* recvbuf, int recvcount,
                   MPI_Datatype recvtype, MPI_Comm comm, MPI_Request* request) {
  before_collective();
  return PMPI_Iallgather(sendbuf, sendcount, sendtype, recvbuf, recvcount, recvtype, comm, request);
}

int MPI_Iallgatherv(const void* sendbuf, int sendcount, MPI_Datatype sendtype, void* recvbuf, const int recvcounts[],
                    const int displs[], MPI_Datatype recvtype, MPI_Comm comm, MPI_Request* request) {
  before_collective();
  return PMPI_Iallgatherv(sendbuf, sendcount, sendtype, recvbuf, recvcounts, displs, recvtype, comm, request);
}

int MPI_Ialltoallv(const void* sendbuf, const int sendcounts[], const int sdispls[], MPI_Datatype sendtype,
                   void* recvbuf, const int recvcounts[], const int rdispls[], MPI_Datatype recvtype, MPI_Comm comm,
                   MPI_Request* request) {
  before_collective();
  return PMPI_Ialltoallv(sendbuf, sendcounts, sdispls, sendtype, recvbuf, recvcounts, rdispls, recvtype, comm, request);
}

}  // extern "C"
