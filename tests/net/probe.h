/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * probe: what the namespace tests see with; one program, a verb for each job.
 * An independent witness: it shares no code with the agent but base.h and
 * cleanup.h. Times are CLOCK_MONOTONIC, which all namespaces of a machine
 * share.
 */

#include <stdio.h>

#include "agent/cleanup.h"

enum {
	PROBE_NAME_SIZE = 16,
	PROBE_MAGIC = 0x70726f62,
};

struct msghdr;
struct sd_bus;

struct probe_request {
	uint32_t magic;
	uint32_t run; /* random: answers to an earlier run do not count */
	uint64_t seq; /* from 0 */
};

struct probe_reply {
	struct probe_request request;
	uint64_t answered_ns; /* when the service answered */
	char name[PROBE_NAME_SIZE];
};

/* An answer as a client got it; the log of `send` is an array of these. */
struct probe_answer {
	uint64_t seq;
	uint64_t answered_ns; /* by the service: not before this */
	uint64_t received_ns; /* by the client's kernel: not after this */
	char name[PROBE_NAME_SIZE];
};

/* The payload of a heartbeat; what `record` writes and `flood` reads. */
struct probe_record {
	uint8_t bytes[1500];
	size_t len;
};

struct probe_answers {
	struct probe_answer *v; /* owned */
	size_t n, allocated;
};

/* A verb: the exit status. 0: yes, 1: no or not in time, 2: could not be done. */
typedef int (*probe_verb)(int argc, char **argv);

int alias_down_verb(int argc, char **argv);
int announced_verb(int argc, char **argv);
int add_tagged_verb(int argc, char **argv);
int addresses_verb(int argc, char **argv);
int away_verb(int argc, char **argv);
int call_verb(int argc, char **argv);
int churn_verb(int argc, char **argv);
int clock_verb(int argc, char **argv);
int echo_verb(int argc, char **argv);
int first_verb(int argc, char **argv);
int flood_verb(int argc, char **argv);
int floor_verb(int argc, char **argv);
int frames_verb(int argc, char **argv);
int forge_verb(int argc, char **argv);
int storm_verb(int argc, char **argv);
int gaps_verb(int argc, char **argv);
int get_verb(int argc, char **argv);
int hold_verb(int argc, char **argv);
int hang_up_verb(int argc, char **argv);
int huge_verb(int argc, char **argv);
int overlap_verb(int argc, char **argv);
int pulse_verb(int argc, char **argv);
int record_verb(int argc, char **argv);
int replay_verb(int argc, char **argv);
int send_verb(int argc, char **argv);
int serve_verb(int argc, char **argv);
int settle_verb(int argc, char **argv);
int stretches_verb(int argc, char **argv);
int sweep_verb(int argc, char **argv);
int tick_verb(int argc, char **argv);
int usurp_verb(int argc, char **argv);
int wait_address_verb(int argc, char **argv);
int wait_event_verb(int argc, char **argv);
int wait_exit_verb(int argc, char **argv);
int wait_frame_verb(int argc, char **argv);
int wait_neighbour_verb(int argc, char **argv);
int wait_property_verb(int argc, char **argv);
int who_verb(int argc, char **argv);

/* util.c */
uint64_t probe_now_ns(void);
uint64_t probe_received_ns(struct msghdr *msg);
void probe_realtime(int priority);
int probe_fail(const char *what, int error);
int probe_usage(const char *usage);
int probe_number(const char *text, uint64_t *ret);
int probe_timeout_ns(const char *seconds, uint64_t *ret_deadline_ns);
int probe_ready(const char *fifo);
int probe_connect(const char *address, const char *port, int *ret_fd);
int probe_signal_fd(void);
int probe_wait(int fd, uint64_t deadline_ns);

/* frames.c */
enum {
	FRAME_SIZE = 2048,
	ETH_LEN = 14,
	ARP_LEN = 28,  /* RFC 826 with Ethernet and IPv4 */
	ICMP6_AT = 54, /* Ethernet and IPv6 headers before it */
	NA_LEN = 24,   /* RFC 4861 section 4.4, without options */
	NA_TYPE = 136,
	NS_TYPE = 135,
	UDP_AT = 34, /* Ethernet and IPv4 headers before it */
};

int packet_open(const char *ifname, int *ret_fd);
ssize_t packet_receive(int fd, uint64_t deadline_ns, uint8_t frame[static FRAME_SIZE],
		       uint64_t *ret_ns, bool *ret_outgoing);
bool is_udp_to(const uint8_t *frame, size_t len, uint16_t port);

/* bus.c */
int probe_bus_open(const char *address, struct sd_bus **ret);

/* answers.c */
int answers_add(struct probe_answers *answers, const struct probe_answer *answer);
void answers_done(struct probe_answers *answers);
int answers_save(const struct probe_answers *answers, const char *file);
int answers_load(const char *file, struct probe_answers *ret);
