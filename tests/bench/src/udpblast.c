/* udpblast PORT PIDS MODE NAME RCODE SECONDS [RATE]: DNS queries to 127.0.0.1:PORT, as fast as
 * they are answered or at most RATE a second.
 *
 * A closed loop: SOCKETS sockets, each on a source address of its own, WINDOW queries
 * outstanding on each; busy polling, so pin it to a core. After a warm-up it measures for
 * SECONDS and prints one JSON object. The server's CPU time is that of the processes PIDS (with
 * commas between) with all their threads, in nanoseconds, from /proc/PID/task/TID/schedstat.
 *
 *   MODE geo     NAME, EDNS with a random /24 as client subnet in every query
 *   MODE geo6    the same with a random /48 of IPv6
 *   MODE static  NAME, EDNS
 *   MODE nx      a random label before NAME, EDNS
 *   +cookie      behind a mode: a random client cookie in every query, so that none is known
 *   RCODE        what every reply must say, or -1 for any
 *
 * Every reply is held to the ID of an open query, QR and RCODE; of every 16th the first A
 * record is noted, so that a geo run can show that answers differ.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cpu.h"

#define SOCKETS 8
#define WINDOW 16
#define BATCH 64
#define OCTETS 512
#define WARM_NS 300000000ull
#define LOST_NS 400000000ull
#define BINS 40000 /* latency in steps of 1 us */
#define SEEN_MAX 512

struct query {
    uint8_t packet[256];
    uint64_t sent_ns;
    uint16_t id;
    int open;
};

struct lane {
    int fd, idle;
    int free[WINDOW];
    struct query query[WINDOW];
};

static struct lane lanes[SOCKETS];
static int query_len, subnet_at = -1, subnet6_at = -1, label_at = -1, cookie_at = -1;
static uint32_t latency[BINS], seen[SEEN_MAX];
static int seen_count;
static uint64_t replies, warm_replies, wrong, lost, sent_count, paced_since;
static double rate;

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static uint64_t draw(void) /* xorshift64 */
{
    static uint64_t state = 88172645463325252ull;
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

/* --- Queries --- */

static uint8_t *put_name(uint8_t *at, const char *name)
{
    while (*name) {
        int length = strcspn(name, ".");
        *at++ = length;
        memcpy(at, name, length);
        at += length;
        name += length + (name[length] == '.');
    }
    *at++ = 0;
    return at;
}

static void make_queries(const char *mode, const char *name, int port)
{
    uint8_t packet[256] = {0}, *at = packet + 12;
    int six = !strncmp(mode, "geo6", 4), geo = !six && !strncmp(mode, "geo", 3);
    int cookie = strstr(mode, "+cookie") != NULL;
    packet[5] = packet[11] = 1; /* one question, one additional record: OPT */
    if (!strncmp(mode, "nx", 2)) {
        *at++ = 12;
        label_at = at - packet;
        at += 12;
    }
    at = put_name(at, name);
    memcpy(at, "\0\1\0\1\0\0\51\4\320\0\0\0\0\0", 14); /* A IN; OPT, 1232 octets */
    at[14] = (six ? 14 : geo ? 11 : 0) + (cookie ? 12 : 0);
    at += 15;
    if (geo) { /* RFC 7871 section 6: option 8 of 7 octets, family 1, source /24 */
        memcpy(at, "\0\10\0\7\0\1\30\0\0\0\0", 11);
        subnet_at = at + 8 - packet;
        at += 11;
    }
    if (six) { /* the same of 10 octets, family 2, source /48 */
        memcpy(at, "\0\10\0\12\0\2\60\0\0\0\0\0\0\0", 14);
        subnet6_at = at + 8 - packet;
        at += 14;
    }
    if (cookie) { /* RFC 7873 section 4: option 10 of 8 octets */
        memcpy(at, "\0\12\0\10", 4);
        cookie_at = at + 4 - packet;
        at += 12;
    }
    query_len = at - packet;
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(port)};
    server.sin_addr.s_addr = htonl(0x7f000001);
    for (int i = 0; i < SOCKETS; i++) {
        struct lane *lane = &lanes[i];
        struct sockaddr_in own = {.sin_family = AF_INET};
        own.sin_addr.s_addr = htonl(0x7f000101 + i);
        int buffer = 1 << 20;
        lane->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        setsockopt(lane->fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
        if (bind(lane->fd, (struct sockaddr *)&own, sizeof own) ||
            connect(lane->fd, (struct sockaddr *)&server, sizeof server)) {
            perror("udpblast");
            exit(1);
        }
        for (int j = 0; j < WINDOW; j++) {
            memcpy(lane->query[j].packet, packet, query_len);
            lane->query[j].id = j; /* the low octet stays the slot's number */
            lane->free[lane->idle++] = j;
        }
    }
}

static void vary(uint8_t *packet)
{
    uint64_t bits = draw();
    if (subnet_at >= 0) { /* 1 to 223, neither 10 nor 127: mostly places on earth */
        uint8_t first = 1 + (bits & 0xff) % 223;
        packet[subnet_at] = first == 10 || first == 127 ? 81 : first;
        packet[subnet_at + 1] = bits >> 8;
        packet[subnet_at + 2] = bits >> 16;
    }
    if (subnet6_at >= 0) { /* in a /12 of each registry and in 2001::/16 */
        static const uint16_t blocks[8] = {0x2001, 0x2400, 0x2600, 0x2800, 0x2a00, 0x2c00, 0x2a00,
                                           0x2400};
        uint16_t first = blocks[bits & 7] | (bits & 4 ? bits >> 3 & 15 : 0);
        uint8_t octets[6] = {first >> 8, first, bits >> 16, bits >> 24, bits >> 32, bits >> 40};
        memcpy(packet + subnet6_at, octets, sizeof octets);
    }
    if (cookie_at >= 0) {
        uint64_t cookie = draw();
        memcpy(packet + cookie_at, &cookie, sizeof cookie);
    }
    for (int i = 0; label_at >= 0 && i < 12; i++, bits >>= 4)
        packet[label_at + i] = "0123456789abcdef"[bits & 15];
}

/* How many queries are due by now at `rate` a second, beyond those that were sent. */
static int due(uint64_t now)
{
    double left = rate * (now - paced_since) / 1e9 - sent_count;
    return left > WINDOW ? WINDOW : (int)left;
}

static void send_queries(struct lane *lane, uint64_t now)
{
    static struct mmsghdr message[WINDOW];
    static struct iovec vector[WINDOW];
    int wanted = lane->idle;
    if (rate > 0 && due(now) < wanted)
        wanted = due(now);
    for (int i = 0; i < wanted; i++) {
        struct query *query = &lane->query[lane->free[lane->idle - 1 - i]];
        query->id += 256;
        query->packet[0] = query->id >> 8;
        query->packet[1] = query->id;
        vary(query->packet);
        vector[i] = (struct iovec){query->packet, query_len};
        message[i].msg_hdr.msg_iov = &vector[i];
        message[i].msg_hdr.msg_iovlen = 1;
    }
    int sent = wanted > 0 ? sendmmsg(lane->fd, message, wanted, 0) : 0;
    for (int i = 0; i < sent; i++) {
        struct query *query = &lane->query[lane->free[--lane->idle]];
        query->sent_ns = now;
        query->open = 1;
        sent_count++;
    }
}

/* --- Replies --- */

static void note_first_a(const uint8_t *packet, int size)
{
    int at = 12;
    while (at < size && packet[at])
        at += packet[at] + 1;
    at += 5; /* the root label, type, class; then an owner that is a pointer */
    if (!packet[7] || at + 16 > size || packet[at] < 0xc0 || packet[at + 3] != 1)
        return;
    uint32_t address;
    memcpy(&address, packet + at + 12, 4);
    for (int i = 0; i < seen_count; i++)
        if (seen[i] == address)
            return;
    if (seen_count < SEEN_MAX)
        seen[seen_count++] = address;
}

static void take_replies(struct lane *lane, int rcode)
{
    static uint8_t packet[BATCH][OCTETS];
    static struct mmsghdr message[BATCH];
    static struct iovec vector[BATCH];
    for (int i = 0; i < BATCH; i++) {
        vector[i] = (struct iovec){packet[i], OCTETS};
        message[i].msg_hdr.msg_iov = &vector[i];
        message[i].msg_hdr.msg_iovlen = 1;
    }
    int got = recvmmsg(lane->fd, message, BATCH, MSG_DONTWAIT, NULL);
    uint64_t now = now_ns();
    for (int i = 0; i < got; i++) {
        uint8_t *reply = packet[i];
        int slot = reply[1];
        struct query *query = &lane->query[slot % WINDOW];
        if (message[i].msg_len < 12 || slot >= WINDOW || !query->open ||
            query->id != (reply[0] << 8 | reply[1])) /* too late, or nobody asked */
            continue;
        query->open = 0;
        lane->free[lane->idle++] = slot;
        wrong += !(reply[2] & 0x80) || (rcode >= 0 && (reply[3] & 15) != rcode);
        uint64_t us = (now - query->sent_ns) / 1000;
        latency[us < BINS ? us : BINS - 1]++;
        if (!(replies++ & 15))
            note_first_a(reply, message[i].msg_len);
    }
}

static void give_up_lost(uint64_t now)
{
    for (int i = 0; i < SOCKETS; i++)
        for (int j = 0; j < WINDOW; j++) {
            struct query *query = &lanes[i].query[j];
            if (query->open && now - query->sent_ns > LOST_NS) {
                query->open = 0;
                lanes[i].free[lanes[i].idle++] = j;
                lost++;
            }
        }
}

static int percentile_us(double share)
{
    uint64_t below = 0;
    for (int i = 0; i < BINS; i++)
        if ((below += latency[i]) >= share * replies)
            return i;
    return BINS;
}

/* --- The run --- */

static void run_until(uint64_t end, int rcode)
{
    uint64_t now, scanned = now_ns();
    while ((now = now_ns()) < end) {
        for (int i = 0; i < SOCKETS; i++) {
            take_replies(&lanes[i], rcode);
            send_queries(&lanes[i], now_ns());
        }
        if (now - scanned > 100000000ull) {
            scanned = now;
            give_up_lost(now_ns());
        }
    }
}

int main(int count, char **words)
{
    if (count != 7 && count != 8)
        return 2;
    const char *pids = words[2];
    int rcode = atoi(words[5]);
    rate = count == 8 ? atof(words[7]) : 0;
    make_queries(words[3], words[4], atoi(words[1]));
    for (uint64_t skip = now_ns() & 1023; skip; skip--)
        draw();
    paced_since = now_ns();
    run_until(paced_since + WARM_NS, rcode);
    warm_replies = replies;
    replies = wrong = lost = seen_count = 0;
    memset(latency, 0, sizeof latency);
    struct cpu before = cpu_now(pids);
    uint64_t start = paced_since = now_ns();
    sent_count = 0;
    run_until(start + (uint64_t)(atof(words[6]) * 1e9), rcode);
    double elapsed_s = (now_ns() - start) / 1e9;
    struct cpu after = cpu_now(pids);
    double server_s = (after.server_ns - before.server_ns) / 1e9;
    double self_s = after.self_s - before.self_s;
    double others_s = after.machine_s - before.machine_s - server_s - self_s;
    printf("{\"replies\":%lu,\"warm_replies\":%lu,\"wrong\":%lu,\"lost\":%lu,\"qps\":%.0f,\"us_per_query\":%.4f,"
           "\"server_cores\":%.3f,\"generator_cores\":%.3f,\"others_cores\":%.3f,"
           "\"p50_us\":%d,\"p99_us\":%d,\"answers\":%d}\n",
           replies, warm_replies, wrong, lost, replies / elapsed_s, replies ? server_s * 1e6 / replies : 0,
           server_s / elapsed_s, self_s / elapsed_s, others_s / elapsed_s, percentile_us(0.5),
           percentile_us(0.99), seen_count);
    return 0;
}
