using System.Diagnostics;
using Microsoft.Extensions.Options;
using MongoDB.Bson;
using Platform.Gateway.Postgres;
using Platform.Gateway.Settings;
using Platform.Gateway.Topology;

namespace Platform.Gateway.Replication;

/// <summary>
/// What the members tell each other about themselves, all the time: each asks each, and says in the question what it would answer. So
/// news that matters is there at once, and a member that has ended is noticed as soon.
/// </summary>
internal sealed partial class Heartbeats(
    IMemberMessages messages, ReplicaSet replicaSet, MemberState state, LogicalClock clock, IOptions<GatewayOptions> options, TimeProvider time,
    ILogger<Heartbeats> logger)
    : BackgroundService, IMessageHandler
{
    /// <summary>How often each member asks each.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    private const int MostPlaces = 10_000;

    private readonly DateTime _started = time.GetUtcNow().UtcDateTime;
    private readonly Lock _own = new();
    private TaskCompletionSource _wake = New();
    private TaskCompletionSource _news = New();

    // The primary's clock beside its log: what a member has of the log says how old its data is.
    private readonly Queue<(Lsn Place, DateTime At)> _places = new();
    private DateTime _lastWrite = DateTime.UnixEpoch;

    /// <inheritdoc />
    public string Name => "replSetHeartbeat";

    /// <summary>Ends when the other members have said something that may matter for an election.</summary>
    public Task News => Volatile.Read(ref _news).Task;

    /// <summary>What this member says about itself.</summary>
    public MemberStatus Own => replicaSet.Self.Status;

    /// <summary>The member that won the latest election that is known of, as long as it answers; null when there is none.</summary>
    public Member? Leader => replicaSet.Others.Where(m => m.Status is { Leads: true, IsReachable: true } && m.Status.Term >= state.Term)
        .MaxBy(m => m.Status.Term);

    /// <summary>Changes what this member says about itself; the others are told at once when it matters.</summary>
    public void Say(Func<MemberStatus, MemberStatus> change)
    {
        lock (_own)
        {
            var before = Own;
            var status = change(before);
            replicaSet.Self.Status = status with { Started = _started, LastWrite = LastWrite(status), Heard = Now() };
            if (before.Role == status.Role && before.Leads == status.Leads && before.Term == status.Term && before.IsPassive == status.IsPassive)
            {
                return;
            }
        }

        Interlocked.Exchange(ref _wake, New()).TrySetResult();
    }

    /// <inheritdoc />
    public ValueTask<BsonDocument> AnswerAsync(BsonDocument message, CancellationToken cancellationToken)
    {
        var number = message["from"].AsInt32;
        if (replicaSet.Others.FirstOrDefault(m => m.Number == number) is { } member && message[Name].AsString == replicaSet.Name)
        {
            Take(member, Read(message) with { Heard = Now(), Ping = member.Status.Ping });
        }

        return ValueTask.FromResult(Describe());
    }

    /// <inheritdoc />
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        options.Value.IsManaged ? Task.WhenAll(replicaSet.Others.Select(m => FollowAsync(m, stoppingToken))) : Task.CompletedTask;

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task FollowAsync(Member member, CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var wake = Volatile.Read(ref _wake).Task;
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
            patience.CancelAfter(options.Value.ElectionTimeout);
            var started = Stopwatch.GetTimestamp();
            try
            {
                var answer = await messages.AskAsync(member, Describe(), patience.Token);
                Take(member, Read(answer) with { Heard = Now(), Ping = Stopwatch.GetElapsedTime(started) });
            }
            catch (MemberUnreachableException e)
            {
                Lose(member, e.Message);
            }
            catch (OperationCanceledException) when (!stoppingToken.IsCancellationRequested)
            {
                Lose(member, $"{member.Host} did not answer within {options.Value.ElectionTimeout.TotalSeconds:0.#} s.");
            }
            catch (OperationCanceledException)
            {
                return;
            }

            using var ended = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
            await Task.WhenAny(wake, Task.Delay(Interval, time, ended.Token));
            await ended.CancelAsync();
        }
    }

    private void Lose(Member member, string why)
    {
        var before = member.Status;
        if (before.IsReachable)
        {
            LogLost(why);
        }

        Take(member, before with { Role = MemberRole.Down, Leads = false, Trouble = why });
    }

    private void Take(Member member, MemberStatus status)
    {
        var before = member.Status;
        if (status.IsReachable && !before.IsReachable)
        {
            LogFound(member.Host, status.Role);
        }

        member.Status = status;
        if (status.Leads)
        {
            Remember(status.Received, status.LastWrite);
        }

        if (before.Role == status.Role && before.Leads == status.Leads && before.Term == status.Term && before.IsPassive == status.IsPassive)
        {
            return;
        }

        Interlocked.Exchange(ref _news, New()).TrySetResult();
        if ((before.Role == MemberRole.Primary) != (status.Role == MemberRole.Primary)
            || (before.Role == MemberRole.Secondary) != (status.Role == MemberRole.Secondary))
        {
            state.SetChanged();
        }
    }

    private void Remember(Lsn place, DateTime at)
    {
        lock (_places)
        {
            if (place > Lsn.None)
            {
                _places.Enqueue((place, at));
            }

            // A member that copies reads nothing for long.
            while (_places.Count > MostPlaces)
            {
                _places.Dequeue();
            }
        }
    }

    /// <summary>A primary has what was written until now; another member what the primary had written when its log was that long.</summary>
    private DateTime LastWrite(MemberStatus own)
    {
        if (own.Leads)
        {
            return Now();
        }

        lock (_places)
        {
            while (_places.TryPeek(out var next) && next.Place <= own.Applied)
            {
                _lastWrite = next.At > _lastWrite ? next.At : _lastWrite;
                _places.Dequeue();
            }

            return _lastWrite;
        }
    }

    private DateTime Now() => time.GetUtcNow().UtcDateTime;

    private BsonDocument Describe()
    {
        var own = Own;
        return new BsonDocument
        {
            { Name, replicaSet.Name },
            { "from", replicaSet.Self.Number },
            { "term", state.Term },
            { "clusterTime", clock.Now() },
            { "role", (int)(state.Role is var role && state.IsStopping ? MemberRole.Recovering : role) },
            { "leads", own.Leads },
            { "empty", own.IsEmpty },
            { "passive", own.IsPassive || state.IsStopping },
            { "lastTerm", own.LastTerm },
            { "received", (long)own.Received.Value },
            { "applied", (long)own.Applied.Value },
            { "lastWrite", new BsonDateTime(own.LastWrite) },
            { "source", own.Source },
            { "started", new BsonDateTime(own.Started) },
        };
    }

    private MemberStatus Read(BsonDocument message)
    {
        clock.Advance(message["clusterTime"].AsInt64);
        return new()
        {
            Role = (MemberRole)message["role"].AsInt32,
            Term = message["term"].AsInt64,
            Leads = message["leads"].AsBoolean,
            IsEmpty = message["empty"].AsBoolean,
            IsPassive = message["passive"].AsBoolean,
            LastTerm = message["lastTerm"].AsInt64,
            Received = new Lsn((ulong)message["received"].AsInt64),
            Applied = new Lsn((ulong)message["applied"].AsInt64),
            LastWrite = message["lastWrite"].ToUniversalTime(),
            Source = message["source"].AsInt32,
            Started = message["started"].ToUniversalTime(),
        };
    }

    [LoggerMessage(LogLevel.Warning, "{Reason}")]
    private partial void LogLost(string reason);

    [LoggerMessage(LogLevel.Information, "{Host} answers; it is {Role}")]
    private partial void LogFound(string host, MemberRole role);
}
