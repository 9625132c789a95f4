// kw::client: a Kafka cluster, seen from here. Knows its brokers, keeps connections to them, sends any request to any of them.
//
//   asio::awaitable<void> show(asio::io_context& io) {
//       kw::client client{io, {.bootstrap = "localhost:9092"}};
//       auto cluster = co_await client.async_metadata(asio::use_awaitable);
//       for (const auto& b : cluster.brokers) std::cout << b.node_id << " at " << b.host << '\n';
//   }
//
// Rules for all of it:
// - A client belongs to one executor: use it, and destroy it, only there. With a thread pool, give a strand. It starts no thread.
// - An operation never completes inside the call that starts it. Its handler runs on its associated executor, else on the client's.
// - Every operation ends by its deadline, connecting included, with the cause of the delay in its error.
// - Cancellation (any type) ends an operation soon, with errc::canceled; the broker may still carry the request out.
// - Every error is explained by kw::detailed(token).
// - An open connection is work for its executor: io_context::run() returns after the client is closed or destroyed. Destroy it before its
//   io_context, as with sockets.
#pragma once
#include <kafkawire/detail/asio.hpp>
#include <kafkawire/detailed.hpp>
#include <kafkawire/environment.hpp>
#include <kafkawire/options.hpp>
#include <kafkawire/protocol/codec.hpp>
#include <kafkawire/protocol/messages/03_metadata.hpp>

namespace kafkawire::inline v0_1 {

/// What one call may say beside its message. Trivial, so that it can be written inside a co_await.
struct request_options {
    std::optional<std::int32_t> broker = {};               ///< to this one; else to any
    std::optional<std::int16_t> version = {};              ///< exactly this; else the highest that both sides speak
    std::optional<std::chrono::milliseconds> timeout = {}; ///< else client_options::request_timeout
};

/// Where an answer came from.
struct answer_info {
    std::int16_t version = -1;                             ///< of the request and the answer
    std::string broker;                                    ///< "host:port"
    std::shared_ptr<const std::byte[]> bytes;              ///< the frame; record data in the answer points into it
};
/// An answer: the message itself, and where it came from. Owns all that it refers to.
template <class Response>
struct answer : Response {
    answer_info info;
};
/// The same, erased.
struct any_answer {
    protocol::any_message message;
    answer_info info;
};

/// A broker as the client sees it.
struct broker_info {
    enum class status { down, opening, up };
    std::int32_t id = -1;                                  ///< -1: known from the bootstrap list only
    std::string host;
    std::uint16_t port = 0;
    std::string rack;
    status state = status::down;
    error last_error;                                      ///< of the last connection that failed; empty if none did since the last that worked
};

class client;

/// How a broker fares, for dashboards and for people who look for a fault.
struct broker_health {
    enum class status : std::uint8_t {
        unused,   ///< nothing wrong is known of it; there is no connection now
        opening,  ///< the first connection is being made
        up,       ///< at least one connection works
        silent,   ///< an answer is due for client_options::stall_after and longer: it hangs, or the network swallows what is sent
        down,     ///< it cannot be reached
    };
    std::int32_t id = -1;                                  ///< -1: known from the bootstrap list only
    std::string host;
    std::uint16_t port = 0;
    std::string rack;
    status state = status::unused;
    net::time_point since;                                 ///< when that state began, by the environment's steady clock; zero: it never had another
    unsigned connections = 0;                              ///< that are up: at most one for each purpose
    std::optional<net::time_point> throttled_until;        ///< it wants to be left alone until then (a quota is used up)
    error last_error;                                      ///< of the last connection that failed or broke, ever; kept when all is well again
    std::optional<net::time_point> failed_at;              ///< when that was
    std::optional<net::wall_time> certificate_expires;     ///< of the certificate that the broker showed last
    std::optional<net::wall_time> own_certificate_expires; ///< of the client's, which all brokers are shown
    error reload_error;                                    ///< why changed certificates cannot be read: those before them serve on; empty: all is well
};

namespace client_detail {

class core;
/// For what is built on a client: producers, consumers.
std::shared_ptr<core> core_of(const client& c) noexcept;

// One request from the application, erased. Told once; then destroyed.
class operation {
public:
    const protocol::message_schema* request_schema = nullptr;
    const void* request = nullptr;                         // owned by the operation
    const protocol::message_schema* response_schema = nullptr;
    void* response = nullptr;                              // owned by the operation
    request_options options;
    bool expects_reply = true;
    bool lenient = false;                                  // Metadata before version 4 cannot forbid topic creation: it is asked nevertheless

    virtual ~operation() = default;
    /// `request`, as it is to be written in that version.
    virtual const void* request_in(std::int16_t) { return request; }
    virtual void complete(error why, answer_info info) = 0;
};
class begun {
public:
    virtual void go() = 0;
    virtual void cancel() = 0;

protected:
    ~begun() = default;
};
// Something that is waited for and has no other result than how it went. Told once; then destroyed.
class waiting_operation {
public:
    virtual ~waiting_operation() = default;
    virtual void complete(error why) = 0;
};
KAFKAWIRE_API std::shared_ptr<begun> prepare_ready(core& c, std::unique_ptr<waiting_operation> what, std::chrono::milliseconds within);
// Takes the operation over; nothing happens to it before go().
KAFKAWIRE_API std::shared_ptr<begun> prepare(core& c, std::unique_ptr<operation> what);
KAFKAWIRE_API void close(core& c);
KAFKAWIRE_API const asio::any_io_executor& executor_of(const core& c) noexcept;

// Calls a handler with a code, and leaves the story where detailed_handler finds it.
template <class Handler, class... Results>
void call_handler(Handler& handler, const error& why, Results&&... results) {
    auto*& story = detail::current_error();
    const auto* before = std::exchange(story, &why);
    struct restore {
        const error*& at;
        const error* to;
        ~restore() { at = to; }
    } at_end{story, before};
    std::move(handler)(why.code, std::forward<Results>(results)...);
}

// Posts `f`, and once more if there was no memory to do so: asio::post() alone takes what it is given with it when it throws, and somebody would never
// be told. Throws std::bad_alloc if that does not help either; `f` is gone then.
template <class Executor, class F>
void post_for_certain(const Executor& ex, F f) {
    std::shared_ptr<F> held;
    for (int tries = 1;; ++tries) {
        try {
            if (!held) held = std::make_shared<F>(std::move(f));
            return asio::post(ex, [held] { (*held)(); });
        } catch (const std::bad_alloc&) {
            if (tries == 2) throw;
        }
    }
}

// The handler of an operation that is under way, and what keeps its executor and the client's at work.
template <class Handler>
struct kept_handler {
    using executor = asio::associated_executor_t<Handler, asio::any_io_executor>;

    kept_handler(Handler h, const asio::any_io_executor& ex) : handler{std::move(h)}, work{asio::get_associated_executor(handler, ex)}, client_work{ex} {}

    Handler handler;
    asio::executor_work_guard<executor> work;
    asio::executor_work_guard<asio::any_io_executor> client_work;

    void begin(const std::shared_ptr<begun>& self) {
        if (auto slot = asio::get_associated_cancellation_slot(handler); slot.is_connected()) {
            slot.assign([what = std::weak_ptr{self}](asio::cancellation_type) {
                if (const auto alive = what.lock()) alive->cancel();
            });
        }
        self->go();
    }
    /// On its executor. Once.
    template <class... Results>
    void tell(error why, Results... results) {
        if (auto slot = asio::get_associated_cancellation_slot(handler); slot.is_connected()) slot.clear();
        post_for_certain(work.get_executor(), [h = std::move(handler), e = std::move(why), w = std::move(client_work), ... r = std::move(results)]() mutable {
            w.reset();
            call_handler(h, e, std::move(r)...);
        });
    }
};

template <class Handler, class Result>
struct pending : operation, kept_handler<Handler> {
    pending(Handler h, const asio::any_io_executor& ex, Result r) : kept_handler<Handler>{std::move(h), ex}, result{std::move(r)} {}

    Result result;

    void complete(error why, answer_info info) override {
        result.info = std::move(info);
        this->tell(std::move(why), std::move(result));
    }
};

template <class Request, class Handler>
struct pending_request final : pending<Handler, answer<typename Request::response>> {
    using response_type = typename Request::response;
    Request message;

    pending_request(Handler h, const asio::any_io_executor& ex, Request m, const request_options& o)
        : pending<Handler, answer<response_type>>{std::move(h), ex, {}}, message{std::move(m)} {
        this->request_schema = &protocol::schema_of<Request>();
        this->request = &message;
        this->response_schema = &protocol::schema_of<response_type>();
        this->response = static_cast<response_type*>(&this->result);
        this->options = o;
        if constexpr (requires { message.acks; }) this->expects_reply = message.acks != 0;
    }
};

template <class Handler>
struct pending_any final : pending<Handler, any_answer> {
    protocol::any_message message;

    pending_any(Handler h, const asio::any_io_executor& ex, protocol::any_message m, const protocol::message_schema& answer, const request_options& o)
        : pending<Handler, any_answer>{std::move(h), ex, {protocol::any_message{answer}, {}}}, message{std::move(m)} {
        this->request_schema = &message.schema();
        this->request = message.get();
        this->response_schema = &answer;
        this->response = this->result.message.get();
        this->options = o;
    }
};

template <class Handler>
struct pending_wait final : waiting_operation, kept_handler<Handler> {
    using kept_handler<Handler>::kept_handler;

    void complete(error why) override { this->tell(std::move(why)); }
};

// The initiations are objects with an executor, so that cancel_after and the like compose.
struct initiation {
    std::shared_ptr<core> target;
    using executor_type = asio::any_io_executor;
    [[nodiscard]] executor_type get_executor() const noexcept { return executor_of(*target); }
};
struct initiate_request : initiation {
    bool lenient = false;
    template <class Handler, class Request>
    void operator()(Handler&& handler, Request message, const request_options& options) const {
        using type = pending_request<Request, std::decay_t<Handler>>;
        auto op = std::make_unique<type>(std::forward<Handler>(handler), get_executor(), std::move(message), options);
        op->lenient = lenient;
        auto& p = *op;
        p.begin(prepare(*target, std::move(op)));
    }
};
struct initiate_any : initiation {
    template <class Handler>
    void operator()(Handler&& handler, protocol::any_message message, const protocol::message_schema* answer, const request_options& options) const {
        auto op = std::make_unique<pending_any<std::decay_t<Handler>>>(std::forward<Handler>(handler), get_executor(), std::move(message), *answer, options);
        auto& p = *op;
        p.begin(prepare(*target, std::move(op)));
    }
};
struct initiate_ready : initiation {
    template <class Handler>
    void operator()(Handler&& handler, std::chrono::milliseconds within) const {
        auto op = std::make_unique<pending_wait<std::decay_t<Handler>>>(std::forward<Handler>(handler), get_executor());
        auto& p = *op;
        p.begin(prepare_ready(*target, std::move(op), within));
    }
};
struct initiate_close : initiation {
    template <class Handler>
    void operator()(Handler&& handler) const {
        close(*target);
        auto ex = asio::get_associated_executor(handler, get_executor());
        asio::post(ex, [h = std::forward<Handler>(handler)]() mutable { call_handler(h, error{}); });
    }
};

/// The schema of the answer to a request. Null if `request` is not the schema of a request.
KAFKAWIRE_API const protocol::message_schema* answer_schema(const protocol::message_schema& request) noexcept;

}  // namespace client_detail

/// See the top of this file. Movable; the moved-from client may only be destroyed or assigned to.
class KAFKAWIRE_API client {
public:
    using executor_type = asio::any_io_executor;

    /// Connects to nothing yet: that happens with the first operation. Throws kw::system_error (errc::bad_configuration) for an option that is
    /// out of range. `env` replaces Asio's world, and must run its callbacks on `executor`; `names` replaces the environment's resolver.
    explicit client(asio::any_io_executor executor, const client_options& options = {}, std::shared_ptr<net::environment> env = {},
                    std::shared_ptr<net::resolver> names = {});
    /// The same, on the executor of an io_context or the like.
    template <class Context>
        requires requires(Context& c) { asio::any_io_executor{c.get_executor()}; }
    explicit client(Context& context, const client_options& options = {}) : client{asio::any_io_executor{context.get_executor()}, options} {}
    /// Closes. Operations under way complete with errc::client_closed, if their executor still runs.
    ~client();
    client(client&&) noexcept = default;
    client& operator=(client&&) noexcept;

    [[nodiscard]] executor_type get_executor() const noexcept { return client_detail::executor_of(*core_); }
    [[nodiscard]] const client_options& options() const noexcept;
    /// What is known of the brokers now. Never asks anybody.
    [[nodiscard]] std::vector<broker_info> brokers() const;
    /// How each of them fares, since when, and what went wrong with it last. Never asks anybody.
    [[nodiscard]] std::vector<broker_health> health() const;

    /// Sends a request and completes with its answer. `message` is any request of protocol/messages; it is moved from and owned until the end,
    /// but record data in it is borrowed until it completes. Without a broker in `options` it goes to any: brokers that cannot be reached are
    /// passed over, as long as the request was not sent. With one, to that broker, after a Metadata request if it is not known yet.
    /// Errors in the answer's own fields are left to the caller.
    ///
    /// Completion: void(std::error_code, kw::answer<Request::response>). Codes: errc of the connection, errc::no_common_version,
    /// errc::not_in_version, errc::unknown_broker, errc::no_broker_available, errc::canceled, errc::client_closed.
    /// GCC 12 destroys an aggregate with owning members twice when it is written inside a co_await: make the message in a statement of its own.
    template <class Request, class Token>
        requires requires { typename Request::response; }
    auto async_request(Request message, const request_options& options, Token&& token) {
        return asio::async_initiate<Token, void(std::error_code, answer<typename Request::response>)>(client_detail::initiate_request{{core_}, false}, token,
                                                                                                      std::move(message), options);
    }
    /// To any broker.
    template <class Request, class Token>
        requires requires { typename Request::response; }
    auto async_request(Request message, Token&& token) {
        return async_request(std::move(message), request_options{}, std::forward<Token>(token));
    }
    /// To the broker of that id.
    template <class Request, class Token>
        requires requires { typename Request::response; }
    auto async_request(Request message, std::int32_t broker, Token&& token) {
        return async_request(std::move(message), request_options{.broker = broker}, std::forward<Token>(token));
    }

    /// The same for a message whose type is known at run time only, for tools. Completion: void(std::error_code, kw::any_answer).
    /// `message` must be a request, else std::invalid_argument is thrown. A Produce request must not have acks=0.
    template <class Token>
    auto async_request_any(protocol::any_message message, const request_options& options, Token&& token) {
        const auto* answer = require_request(message.schema());
        return asio::async_initiate<Token, void(std::error_code, any_answer)>(client_detail::initiate_any{{core_}}, token, std::move(message), answer, options);
    }

    /// Asks for the cluster's brokers, and for no topics. Completes when a broker has answered: the way to find out whether all is well.
    /// Completion: void(std::error_code, kw::answer<protocol::messages::metadata_response>).
    template <class Token>
    auto async_metadata(Token&& token) {
        protocol::messages::metadata_request none;
        return async_request(std::move(none), std::forward<Token>(token));
    }
    /// The same, and for the topics of these names, which are not created (brokers before 0.11 do it
    /// nevertheless if they are set up to). Errors of single topics are in the answer.
    template <class Token>
    auto async_metadata(const std::vector<std::string>& topics, Token&& token) {
        using result = answer<protocol::messages::metadata_response>;
        return asio::async_initiate<Token, void(std::error_code, result)>(client_detail::initiate_request{{core_}, true}, token, metadata_of(topics), request_options{});
    }

    /// Completes when the client is of use: a broker has told what the cluster looks like and, of the topics that producers and consumers of this
    /// client use, every partition has a leader that could be connected to. If that is not so `within` that time, or cannot become so
    /// (a topic is forbidden), the error says what is missing, and its cause what keeps it: the refused connection, the name without an address.
    /// Waiting goes on in the background after an error; nothing needs to be made anew.
    ///
    /// Completion: void(std::error_code). Codes: errc::no_broker_available, errc::unknown_broker, the broker's code for a topic,
    /// errc::canceled, errc::client_closed.
    template <class Token>
    auto async_ready(std::chrono::milliseconds within, Token&& token) {
        return asio::async_initiate<Token, void(std::error_code)>(client_detail::initiate_ready{{core_}}, token, within);
    }

    /// Tells the observer a line of the application's own, under this client's name, as often as its own lines may come; see observer.hpp. Without
    /// an observer nothing happens.
    void log(log_level level, std::string_view component, std::string_view text, std::span<const log_field> fields = {}) const noexcept;

    /// Closes all connections; operations under way complete with errc::client_closed, later ones too. Completion: void(std::error_code).
    template <class Token>
    auto async_close(Token&& token) {
        return asio::async_initiate<Token, void(std::error_code)>(client_detail::initiate_close{{core_}}, token);
    }

private:
    static const protocol::message_schema* require_request(const protocol::message_schema& schema);
    static protocol::messages::metadata_request metadata_of(const std::vector<std::string>& topics);

    friend std::shared_ptr<client_detail::core> client_detail::core_of(const client& c) noexcept;
    std::shared_ptr<client_detail::core> core_;
};

}  // namespace kafkawire::inline v0_1

namespace kw = kafkawire;
