/* udpecho PORT: the floor under every UDP server. Sets QR and AA and sends the packet back.
 *
 * Batches of 32 by recvmmsg and sendmmsg, one socket on 127.0.0.1, no work at all in between.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BATCH 32
#define OCTETS 1500

static uint8_t packet[BATCH][OCTETS];
static struct sockaddr_in source[BATCH];
static struct iovec vector[BATCH];
static struct mmsghdr message[BATCH];

static int bound_socket(int port)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0), buffer = 4 << 20;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address)) {
        perror("udpecho");
        exit(1);
    }
    return fd;
}

int main(int count, char **words)
{
    if (count != 2)
        return 2;
    int fd = bound_socket(atoi(words[1]));
    for (int i = 0; i < BATCH; i++) {
        vector[i].iov_base = packet[i];
        message[i].msg_hdr.msg_iov = &vector[i];
        message[i].msg_hdr.msg_iovlen = 1;
        message[i].msg_hdr.msg_name = &source[i];
    }
    for (;;) {
        for (int i = 0; i < BATCH; i++) {
            vector[i].iov_len = OCTETS;
            message[i].msg_hdr.msg_namelen = sizeof source[i];
        }
        int got = recvmmsg(fd, message, BATCH, MSG_WAITFORONE, NULL);
        for (int i = 0; i < got; i++) {
            packet[i][2] |= 0x84;
            vector[i].iov_len = message[i].msg_len;
        }
        for (int sent = 0, now; sent < got; sent += now)
            if ((now = sendmmsg(fd, message + sent, got - sent, 0)) <= 0)
                break;
    }
}
