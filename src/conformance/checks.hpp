// What is checked of a golden vector. A check takes one line and gives what is wrong with us, or nothing.
#pragma once
#include <kafkawire/json.hpp>

#include <nlohmann/json.hpp>
#include <string>

namespace kafkawire::conformance {

/// Empty: passed. Otherwise the first thing that differs, for a person. May throw nlohmann::json's exceptions if the line lacks a member.
using check = std::string (*)(const nlohmann::json& line);

std::string check_message(const nlohmann::json& line);
std::string check_api(const nlohmann::json& line);
std::string check_broker_error(const nlohmann::json& line);
std::string check_murmur2(const nlohmann::json& line);
std::string check_crc32c(const nlohmann::json& line);
std::string check_varint(const nlohmann::json& line);
std::string check_batches(const nlohmann::json& line);
std::string check_invalid_batches(const nlohmann::json& line);
std::string check_assignor(const nlohmann::json& line);
std::string check_scram(const nlohmann::json& line);

/// The check for lines of this form, told by their members; null: a form that is not checked (yet).
check find_check(const nlohmann::json& line);
/// What a line is, for the report: "Metadata request v9 case 2", "v2-gzip-headers".
std::string name_of(const nlohmann::json& line);

/// The schema that a line of a message is about ("api" and "type"), or null.
const protocol::message_schema* schema_of_line(const nlohmann::json& line);
/// The bytes of a member in hexadecimal. Throws std::runtime_error if it is not that.
protocol::bytes hex_member(const nlohmann::json& line, const char* name);
/// "byte 17: 0a wanted, 0b made" for the first difference, or the lengths; empty if they are equal.
std::string difference(protocol::bytes_view wanted, protocol::bytes_view made);
std::string json_difference(const nlohmann::json& wanted, const nlohmann::json& made);

}  // namespace kafkawire::conformance
