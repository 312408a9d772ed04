using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using global::StackExchange.Redis;
using global::StackExchange.Redis.Profiling;

namespace Aspire.StackExchange.Redis;

/// <summary>
/// Makes a client span of each Redis command, after the semantic conventions
/// (<see href="https://opentelemetry.io/docs/specs/semconv/database/redis/"/>). The client records commands into the
/// profiling session of the span that was current when they were called; a timer turns the finished ones into spans.
/// </summary>
/// <remarks>
/// Bounded: at most <see cref="MaxSessions"/> callers are followed at once (more are not traced), a caller that ended is
/// followed for <see cref="LateCommands"/> more, and callers that are not sampled cost nothing.
/// </remarks>
internal sealed class RedisSpans : IDisposable
{
    // The name that the public Redis instrumentation uses, so that filters and views need not know the difference.
    public const string SourceName = "OpenTelemetry.Instrumentation.StackExchangeRedis";

    public const int MaxSessions = 5_000;

    public static readonly TimeSpan DrainInterval = TimeSpan.FromMilliseconds(500);

    // A command answers or times out well within this.
    public static readonly TimeSpan LateCommands = TimeSpan.FromSeconds(30);

    private static readonly ActivitySource Source = new(SourceName);

    private readonly ConcurrentDictionary<ActivitySpanId, Caller> _callers = new();
    private readonly Caller _withoutCaller = new(null);
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly Lock _draining = new();
    private bool _disposed;

    public RedisSpans(TimeProvider time)
    {
        _time = time;

        // The timer must not inherit the span of whoever happened to make this object.
        using (ExecutionContext.SuppressFlow())
        {
            _timer = time.CreateTimer(static state => ((RedisSpans)state!).Drain(), this, DrainInterval, DrainInterval);
        }
    }

    public void Watch(IConnectionMultiplexer connection) => connection.RegisterProfiler(SessionOfCaller);

    /// <summary>Ends the recording; what finished until now still becomes spans.</summary>
    public void Dispose()
    {
        lock (_draining)
        {
            if (_disposed)
            {
                return;
            }

            Drain();
            _disposed = true;
            _timer.Dispose();
            _callers.Clear();
        }
    }

    internal void Drain()
    {
        // A drain that takes longer than the interval must not run twice over the same sessions.
        if (!_draining.TryEnter())
        {
            return;
        }

        try
        {
            if (_disposed)
            {
                return;
            }

            var before = Activity.Current;
            Activity.Current = null;
            Emit(_withoutCaller);
            foreach (var (id, caller) in _callers)
            {
                Emit(caller);
                if (caller.Parent!.IsStopped)
                {
                    caller.Ended ??= _time.GetTimestamp();
                    if (_time.GetElapsedTime(caller.Ended.Value) > LateCommands)
                    {
                        _callers.TryRemove(id, out _);
                    }
                }
            }

            Activity.Current = before;
        }
        finally
        {
            _draining.Exit();
        }
    }

    private ProfilingSession? SessionOfCaller()
    {
        if (_disposed || !Source.HasListeners())
        {
            return null;
        }

        var parent = Activity.Current;
        if (parent is null)
        {
            return _withoutCaller.Session;
        }

        if (!parent.Recorded)
        {
            return null;
        }

        if (_callers.TryGetValue(parent.SpanId, out var caller))
        {
            return caller.Session;
        }

        return _callers.Count >= MaxSessions ? null : _callers.GetOrAdd(parent.SpanId, static (_, parent) => new Caller(parent), parent).Session;
    }

    private static void Emit(Caller caller)
    {
        foreach (var command in caller.Session.FinishProfiling())
        {
            EmitSpan(command, caller.Parent?.Context ?? default);
        }
    }

    private static void EmitSpan(IProfiledCommand command, ActivityContext parent)
    {
        var start = new DateTimeOffset(DateTime.SpecifyKind(command.CommandCreated, DateTimeKind.Utc));
        using var span = Source.StartActivity(command.Command, ActivityKind.Client, parent, startTime: start);
        if (span is null)
        {
            return;
        }

        if (span.IsAllDataRequested)
        {
            span.SetTag("db.system.name", "redis");
            span.SetTag("db.operation.name", command.Command);
            if (command.Db >= 0)
            {
                span.SetTag("db.namespace", command.Db.ToString(CultureInfo.InvariantCulture));
            }

            SetEndPoint(span, command.EndPoint);
            if (command.RetransmissionReason is { } reason)
            {
                span.SetTag("db.redis.retransmission", reason.ToString());
            }

            var enqueued = start + command.CreationToEnqueued;
            var sent = enqueued + command.EnqueuedToSending;
            span.AddEvent(new ActivityEvent("enqueued", enqueued));
            span.AddEvent(new ActivityEvent("sent", sent));
            span.AddEvent(new ActivityEvent("response received", sent + command.SentToResponse));
        }

        span.SetEndTime(start.UtcDateTime + command.ElapsedTime);
    }

    private static void SetEndPoint(Activity span, EndPoint? endPoint)
    {
        switch (endPoint)
        {
            case IPEndPoint ip:
                span.SetTag("server.address", ip.Address.ToString());
                span.SetTag("server.port", ip.Port);
                span.SetTag("network.peer.address", ip.Address.ToString());
                span.SetTag("network.peer.port", ip.Port);
                break;
            case DnsEndPoint dns:
                span.SetTag("server.address", dns.Host);
                span.SetTag("server.port", dns.Port);
                break;
            case { } other:
                span.SetTag("server.address", other.ToString());
                break;
        }
    }

    private sealed class Caller(Activity? parent)
    {
        public Activity? Parent { get; } = parent;

        public ProfilingSession Session { get; } = new();

        public long? Ended { get; set; }
    }
}
