using System.Diagnostics;
using System.Net.Sockets;
using Microsoft.Extensions.Options;
using Platform.Gateway.Backend;
using Platform.Gateway.Postgres;
using Platform.Gateway.Settings;
using Platform.Gateway.Topology;

namespace Platform.Gateway.Replication;

/// <summary>
/// Keeps this member what it should be: follows whoever was elected, stands when nobody is primary, steps down when it has lost the
/// others, starts its PostgreSQL again when that has ended.
/// </summary>
internal sealed partial class MemberService(
    MemberLife life, Election election, Heartbeats heartbeats, ReplicaSet replicaSet, MemberState state, IOptions<GatewayOptions> options,
    IHostApplicationLifetime lifetime, ILogger<MemberService> logger) : BackgroundService
{
    /// <summary>How long a primary goes on that hears of too few others: with the time until that is noticed less than ten seconds.</summary>
    private static readonly TimeSpan s_loneliness = TimeSpan.FromSeconds(6);

    private const long Megabyte = 1024 * 1024;

    // Two segments of PostgreSQL's log, and somewhat more before it may be primary again.
    private const long LeastSpace = 32 * Megabyte;
    private const long EnoughSpace = 64 * Megabyte;

    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(300);

    // At a start the others are waited for, so that the one with the most data is primary and nobody has to take anything back.
    private static readonly TimeSpan s_startGrace = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan s_rankPause = TimeSpan.FromMilliseconds(250);

    // Longer than an election takes on a busy machine: who has more and is not elected has to take that back, which takes seconds.
    private static readonly TimeSpan s_dataPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_retry = TimeSpan.FromSeconds(1);

    private long _looked;
    private long _majorityHeard = Stopwatch.GetTimestamp();
    private long? _mayStandSince;
    private long _readyAt;
    private long _standAfter;
    private long _frozenUntil;
    private bool _hasSeenLeader;
    private bool _isFull;

    /// <summary>Does not stand for election for a while, as who has stepped down; zero ends that.</summary>
    public void Freeze(TimeSpan duration)
    {
        Interlocked.Exchange(ref _frozenUntil, duration == TimeSpan.Zero ? 0 : After(duration));
        SayPassive();
    }

    /// <summary>
    /// Steps down as primary and does not stand again within <paramref name="period"/>. Returns false when no other member has caught up in
    /// time, so that it stays primary.
    /// </summary>
    public async Task<bool> StepDownAsync(TimeSpan period, TimeSpan catchUp, bool isForced, CancellationToken cancellationToken)
    {
        var place = heartbeats.Own.Received;
        var started = Stopwatch.GetTimestamp();
        while (!replicaSet.Others.Any(m => m.Status is { Role: MemberRole.Secondary, IsPassive: false } && m.Status.Source == replicaSet.Self.Number
            && m.Status.Received >= place))
        {
            if (Stopwatch.GetElapsedTime(started) >= catchUp)
            {
                if (isForced)
                {
                    break;
                }

                return false;
            }

            await Task.Delay(s_tick, cancellationToken);
        }

        Freeze(period);
        await life.StepDownAsync("it was asked to", CancellationToken.None);
        return true;
    }

    /// <inheritdoc />
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (options.Value.IsManaged)
        {
            await life.StopAsync();
        }
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.Value.IsManaged)
        {
            return;
        }

        life.Wake();
        var parent = ProcessMark.Parent;
        while (!stoppingToken.IsCancellationRequested)
        {
            if (ProcessMark.Parent != parent && !state.IsStopping)
            {
                // Nobody would start it again, or end it.
                LogOrphaned();
                lifetime.StopApplication();
            }

            var news = heartbeats.News;
            try
            {
                await StepAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is IOException or SocketException or TimeoutException or PostgresException or OperationCanceledException
                or InvalidDataException or BackendStartupException or UnauthorizedAccessException)
            {
                // Whoever is needed for it is away, or the disk is full: it is tried again.
                LogFailed(e.Message);
                _standAfter = After(s_retry);
                await Task.Delay(s_retry, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            await Task.WhenAny(news, Task.Delay(s_tick, stoppingToken));
        }
    }

    private static long After(TimeSpan time) => Stopwatch.GetTimestamp() + (long)(time.TotalSeconds * Stopwatch.Frequency);

    private async Task StepAsync(CancellationToken cancellationToken)
    {
        if (state.IsStopping)
        {
            return;
        }

        if (life.HasData && !life.IsReady)
        {
            await life.StartAsync(cancellationToken);
            _readyAt = Stopwatch.GetTimestamp();
        }

        if (life.HasLostServer)
        {
            await life.RestartAsync("it has ended", cancellationToken);
        }

        if (life.IsReady && Stopwatch.GetElapsedTime(_looked) >= s_look)
        {
            _looked = Stopwatch.GetTimestamp();
            await WatchDiskAsync(cancellationToken);
            if (await life.LookAsync(cancellationToken) is null && life.Silence > options.Value.ElectionTimeout)
            {
                await life.RestartAsync($"it has not answered for {life.Silence.TotalSeconds:0.0} s", cancellationToken);
            }
        }

        life.Learn(replicaSet.Others.Where(m => m.Status.IsReachable).Select(m => m.Status.Term).DefaultIfEmpty().Max());
        await (life.Leads ? WatchOthersAsync(cancellationToken) : WatchLeaderAsync(cancellationToken));
    }

    /// <summary>As primary: steps down for a later term, and when it has not heard of a majority for too long.</summary>
    private async Task WatchOthersAsync(CancellationToken cancellationToken)
    {
        (_mayStandSince, _hasSeenLeader) = (null, true);
        if (life.Record.Term > life.LeadsIn)
        {
            await life.StepDownAsync($"term {life.Record.Term} has begun", cancellationToken);
            return;
        }

        if (1 + replicaSet.Others.Count(m => m.Status.IsReachable) >= replicaSet.Majority)
        {
            _majorityHeard = Stopwatch.GetTimestamp();
        }
        else if (Stopwatch.GetElapsedTime(_majorityHeard) > s_loneliness)
        {
            await life.StepDownAsync("too few of the other members answer", cancellationToken);
        }
    }

    /// <summary>As any other: follows the leader, or stands when there is none.</summary>
    private async Task WatchLeaderAsync(CancellationToken cancellationToken)
    {
        _majorityHeard = Stopwatch.GetTimestamp();
        if (heartbeats.Leader is { } leader)
        {
            (_mayStandSince, _hasSeenLeader) = (null, true);
            var term = leader.Status.Term;
            if (!life.Follows(leader, term))
            {
                await life.FollowAsync(leader, term, cancellationToken);
            }
            else if (life.IsStuck)
            {
                await life.RejoinAsync(leader, cancellationToken);
            }

            return;
        }

        if (IsFrozen() || (_isFull && HasStandIn))
        {
            return;
        }

        if (!life.HasData)
        {
            await InitialiseAsync(cancellationToken);
        }
        else if (life.IsReady && IsMyTurn())
        {
            if (!await election.HoldAsync(cancellationToken))
            {
                // Not at the same time as whoever tries it, too.
                _standAfter = After(s_rankPause * (1 + Random.Shared.NextDouble()));
            }
        }
    }

    /// <summary>Without any data the first member makes some, when all others are there to say that they have none.</summary>
    private async Task InitialiseAsync(CancellationToken cancellationToken)
    {
        if (replicaSet.Self.Id == 0 && replicaSet.Others.All(m => m.Status is { IsReachable: true, IsEmpty: true }))
        {
            await life.InitialiseAsync(cancellationToken);
        }
    }

    /// <summary>Who has the most stands first; who has less gives it a moment, and so does who has just voted for another one.</summary>
    private bool IsMyTurn()
    {
        var own = heartbeats.Own;
        var ownPosition = new Position(own.LastTerm, own.Received);
        var rivals = replicaSet.Others.Where(m => m.Status is { IsReachable: true, IsEmpty: false, IsPassive: false }).ToList();
        var isTooEarly = !_hasSeenLeader && Stopwatch.GetElapsedTime(_readyAt) < s_startGrace
            && (replicaSet.Others.Any(m => !m.Status.IsReachable) || rivals.Any(m => m.Role != MemberRole.Secondary || m.Status.Received == Lsn.None));
        if (isTooEarly || life.HasJustVoted || 1 + replicaSet.Others.Count(m => m.Status.IsReachable) < replicaSet.Majority)
        {
            _mayStandSince = null;
            return false;
        }

        var pause = rivals.Aggregate(
            TimeSpan.Zero,
            (sum, m) => sum + new Position(m.Status.LastTerm, m.Status.Received).CompareTo(ownPosition) switch
            {
                > 0 => s_dataPause,
                0 when m.Number < replicaSet.Self.Number => s_rankPause,
                _ => TimeSpan.Zero,
            });
        _mayStandSince ??= Stopwatch.GetTimestamp();
        return Stopwatch.GetTimestamp() >= _standAfter && Stopwatch.GetElapsedTime(_mayStandSince.Value) >= pause;
    }

    /// <summary>Whether another member could be primary. When the disks of all are full, one is primary all the same: there are things to delete.</summary>
    private bool HasStandIn => replicaSet.Others.Any(m => m.Status is { Role: MemberRole.Secondary, IsPassive: false });

    private bool IsFrozen() => Stopwatch.GetTimestamp() < Interlocked.Read(ref _frozenUntil);

    private void SayPassive() => heartbeats.Say(own => own with { IsPassive = IsFrozen() || _isFull });

    /// <summary>Looks whether there is room to write: a primary without any could only refuse, and others have some.</summary>
    private async Task WatchDiskAsync(CancellationToken cancellationToken)
    {
        var free = new DriveInfo(options.Value.DataDirectory!).AvailableFreeSpace;
        var isFull = free < (_isFull ? EnoughSpace : LeastSpace);
        if (isFull && !_isFull)
        {
            LogFull(options.Value.DataDirectory!, free / Megabyte);
        }

        _isFull = isFull;
        SayPassive();
        if (isFull && life.Leads && HasStandIn)
        {
            await life.StepDownAsync($"its disk is full ({free / Megabyte} MB are left)", cancellationToken);
        }
    }

    [LoggerMessage(LogLevel.Error, "The disk of {Directory} is full: {Megabytes} MB are left. This member will not be primary before there are more")]
    private partial void LogFull(string directory, long megabytes);

    [LoggerMessage(LogLevel.Error, "The process that started this one has ended: this member stops")]
    private partial void LogOrphaned();

    [LoggerMessage(LogLevel.Warning, "A step of this member failed and is tried again: {Reason}")]
    private partial void LogFailed(string reason);
}
