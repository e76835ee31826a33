/* CPU time of servers, of this process and of the machine, for udpblast. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

struct cpu {
    uint64_t server_ns;
    double self_s, machine_s;
};

static uint64_t task_sum_ns(int pid)
{
    char path[300];
    uint64_t total = 0;
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    for (struct dirent *task; tasks && (task = readdir(tasks));) {
        unsigned long long spent;
        snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", pid, task->d_name);
        FILE *file = task->d_name[0] == '.' ? NULL : fopen(path, "r");
        if (file && fscanf(file, "%llu", &spent) == 1)
            total += spent;
        if (file)
            fclose(file);
    }
    if (tasks)
        closedir(tasks);
    return total;
}

static uint64_t processes_ns(const char *pids) /* "12" or "12,13" */
{
    uint64_t total = 0;
    for (char *end; *pids; pids = end + (*end == ','))
        total += task_sum_ns(strtol(pids, &end, 10));
    return total;
}

static double machine_s(void)
{
    unsigned long long v[8] = {0};
    FILE *file = fopen("/proc/stat", "r");
    if (file) {
        if (fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", v, v + 1, v + 2, v + 3,
                   v + 4, v + 5, v + 6, v + 7) != 8)
            memset(v, 0, sizeof v);
        fclose(file);
    }
    return (double)(v[0] + v[1] + v[2] + v[5] + v[6]) / sysconf(_SC_CLK_TCK);
}

static struct cpu cpu_now(const char *pids)
{
    struct rusage own;
    getrusage(RUSAGE_SELF, &own);
    double self_s = own.ru_utime.tv_sec + own.ru_stime.tv_sec +
                    (own.ru_utime.tv_usec + own.ru_stime.tv_usec) / 1e6;
    return (struct cpu){processes_ns(pids), self_s, machine_s()};
}
