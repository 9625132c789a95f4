#include "node_config.hpp"

#include "distribution.hpp"

namespace kafkawire::testing::detail {
namespace {

std::string at(const std::string& listener, int port) { return listener + "://" + host + ":" + std::to_string(port); }

}  // namespace

std::string node_properties(const cluster_plan& cluster, const node_plan& node) {
    const auto count = std::to_string(cluster.nodes.size());
    std::string more, more_protocols;
    for (auto& l : node.more) {
        more += "," + at(l.name, l.port);
        more_protocols += "," + l.name + ":" + l.protocol;
    }
    const std::string in_sync = cluster.nodes.size() >= 3 ? "2" : "1";
    properties p;
    if (cluster.zookeeper_port == 0) {
        std::string voters;
        for (auto& n : cluster.nodes)
            voters += (voters.empty() ? "" : ",") + std::to_string(n.id) + "@" + host + ":" + std::to_string(n.controller_port);
        p = {{"process.roles", "broker,controller"},
             {"node.id", std::to_string(node.id)},
             {"controller.quorum.voters", voters},
             {"controller.listener.names", "CONTROLLER"},
             {"listeners",
              at("CLIENT", node.client_port) + "," + at("INTERNAL", node.internal_port) + "," + at("CONTROLLER", node.controller_port) + more},
             // A killed node is missed after 9 s by default; not much shorter, or a busy machine's slow heartbeats count as deaths.
             {"broker.heartbeat.interval.ms", "1000"},
             {"broker.session.timeout.ms", "6000"},
             {"share.coordinator.state.topic.replication.factor", count},
             {"share.coordinator.state.topic.min.isr", in_sync},
             {"share.coordinator.state.topic.num.partitions", "5"}};
    } else {
        p = {{"broker.id", std::to_string(node.id)},
             {"zookeeper.connect", std::string(host) + ":" + std::to_string(cluster.zookeeper_port)},
             {"zookeeper.session.timeout.ms", "6000"},
             {"zookeeper.connection.timeout.ms", "30000"},
             {"listeners", at("CLIENT", node.client_port) + "," + at("INTERNAL", node.internal_port) + more}};
    }
    const properties common = {
        {"advertised.listeners", at("CLIENT", node.advertised_port) + "," + at("INTERNAL", node.internal_port) + more},
        {"listener.security.protocol.map", "CLIENT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT" + more_protocols},
        {"inter.broker.listener.name", "INTERNAL"},
        {"log.dirs", (node.folder / "data").string()},
        {"default.replication.factor", count},
        {"min.insync.replicas", in_sync},
        {"offsets.topic.replication.factor", count},
        {"offsets.topic.num.partitions", "5"},
        {"transaction.state.log.replication.factor", count},
        {"transaction.state.log.min.isr", in_sync},
        {"transaction.state.log.num.partitions", "5"},
        {"group.initial.rebalance.delay.ms", "0"},
    };
    p.insert(p.end(), common.begin(), common.end());
    p.insert(p.end(), node.overrides.begin(), node.overrides.end());
    std::string out;
    for (auto& [key, value] : p) out += key + "=" + value + "\n";
    return out;
}

std::string zookeeper_properties(const cluster_plan& cluster) {
    return "dataDir=" + (cluster.folder / "zookeeper").string() + "\nclientPortAddress=" + host +
           "\nclientPort=" + std::to_string(cluster.zookeeper_port) + "\ntickTime=1000\nmaxClientCnxns=0\nadmin.enableServer=false\n";
}

std::string meta_properties(const cluster_plan& cluster, const node_plan& node, const std::string& directory_id) {
    return "version=1\nnode.id=" + std::to_string(node.id) + "\ncluster.id=" + cluster.cluster_id + "\ndirectory.id=" + directory_id + "\n";
}

logging_plan logging(const std::string& version, logs_of whom) {
    const bool tool = whom == logs_of::tool;
    const std::string name = tool ? "tool-" : "server-", target = tool ? "SYSTEM_ERR" : "SYSTEM_OUT";
    if (compare_versions(version, "4.0") >= 0)
        return {name + "log4j2.properties",
                "status=error\n"
                "appender.out.type=Console\nappender.out.name=out\nappender.out.target=" +
                    target +
                    "\n"
                    "appender.out.layout.type=PatternLayout\nappender.out.layout.pattern=%d{HH:mm:ss.SSS} %p %m (%c{1})%n%ex\n"
                    "rootLogger.level=" +
                    (tool ? "warn" : "info") +
                    "\nrootLogger.appenderRef.out.ref=out\n"
                    "logger.config.name=org.apache.kafka.common.config.AbstractConfig\nlogger.config.level=warn\n",
                "-Dlog4j2.configurationFile="};
    // In the old tools the log is noise: warnings about settings that the tool itself made.
    return {name + "log4j.properties",
            std::string("log4j.rootLogger=") + (tool ? "ERROR" : "INFO") +
                ", out\n"
                "log4j.appender.out=org.apache.log4j.ConsoleAppender\nlog4j.appender.out.Target=System." +
                (tool ? "err" : "out") +
                "\n"
                "log4j.appender.out.layout=org.apache.log4j.PatternLayout\n"
                "log4j.appender.out.layout.ConversionPattern=%d{HH:mm:ss.SSS} %p %m (%c{1})%n\n"
                "log4j.logger.kafka.server.KafkaConfig=WARN\n"
                "log4j.logger.org.apache.zookeeper=" +
                (tool ? "ERROR" : "WARN") + "\n",
            "-Dlog4j.configuration=file:"};
}

}  // namespace kafkawire::testing::detail
