using System.Buffers.Binary;
using MongoDB.Bson;
using Platform.Gateway.Errors;

namespace Platform.Gateway.Topology;

/// <summary>
/// The logical clock that replies carry as <c>operationTime</c> and <c>$clusterTime</c>
/// (https://github.com/mongodb/specifications/blob/master/source/causal-consistency/causal-consistency.md). The time of the cluster follows the
/// wall clock by the microsecond; each write moves it on, and so does a client or a member that has seen a later time. The time of an
/// operation is the wall clock's alone: change streams compare it with the times of commits, which no client moves.
/// </summary>
internal sealed class LogicalClock
{
    private const long GreatestDrift = 365L * 24 * 60 * 60;

    // Both fields with the terminator of the reply, in which only the two times differ.
    private static readonly byte[] s_template = Template();
    private static readonly int s_operation = ValueOf("operationTime"u8);
    private static readonly int s_cluster = ValueOf("clusterTime"u8);

    private readonly TimeProvider _time;
    private long _last;

    /// <summary>Starts the clock.</summary>
    public LogicalClock(TimeProvider time)
    {
        _time = time;
        _last = Wall();
    }

    /// <summary>How many bytes the fields take, with the terminator of the document that they end.</summary>
    public static int Length => s_template.Length;

    /// <summary>Writes the fields and the terminator.</summary>
    /// <param name="destination">Where to.</param>
    /// <param name="began">
    /// <see cref="Wall"/> when the command began, which is its <c>operationTime</c>: a change stream that starts there sees what the command wrote. For the
    /// reads that follow any time of it will do, since a member that is behind asks the primary how far it is.
    /// </param>
    public void Write(Span<byte> destination, long began)
    {
        s_template.CopyTo(destination);
        BinaryPrimitives.WriteInt64LittleEndian(destination[s_operation..], began);
        BinaryPrimitives.WriteInt64LittleEndian(destination[s_cluster..], Now());
    }

    /// <summary>
    /// The time of the cluster: seconds since 1970 in the upper half, and the microsecond, counted from 1, in the lower one. It never goes back.
    /// </summary>
    public long Now() => Reach(Wall());

    /// <summary>The time by the wall clock, in the same form.</summary>
    public long Wall()
    {
        var (seconds, ticks) = Math.DivRem(_time.GetUtcNow().Ticks - DateTimeOffset.UnixEpoch.Ticks, TimeSpan.TicksPerSecond);
        return (seconds << 32) | ((ticks / TimeSpan.TicksPerMicrosecond) + 1);
    }

    /// <summary>Moves the clock on because something was written.</summary>
    public void Tick()
    {
        var clock = Wall();
        for (var last = Volatile.Read(ref _last); ;)
        {
            var seen = Interlocked.CompareExchange(ref _last, Math.Max(clock, last + 1), last);
            if (seen == last)
            {
                return;
            }

            last = seen;
        }
    }

    /// <summary>
    /// Takes in a time that a client has seen. Throws <see cref="CommandException"/> for one that is so far ahead that no clock can have
    /// given it, since there would be no way back.
    /// </summary>
    public void Advance(long time)
    {
        if ((ulong)time <= (ulong)Volatile.Read(ref _last))
        {
            return;
        }

        if ((time >>> 32) > Second() + GreatestDrift)
        {
            throw new CommandException(
                ErrorCode.ClusterTimeFailsRateLimiter,
                $"New cluster time, {time >>> 32}, is too far from this node's wall clock time, {Second()}.");
        }

        Reach(time);
    }

    private long Reach(long time)
    {
        for (var last = Volatile.Read(ref _last); ;)
        {
            if (time <= last)
            {
                return last;
            }

            var seen = Interlocked.CompareExchange(ref _last, time, last);
            if (seen == last)
            {
                return time;
            }

            last = seen;
        }
    }

    private long Second() => _time.GetUtcNow().ToUnixTimeSeconds();

    private static byte[] Template()
    {
        var fields = new BsonDocument
        {
            { "operationTime", new BsonTimestamp(0) },
            {
                "$clusterTime", new BsonDocument
                {
                    { "clusterTime", new BsonTimestamp(0) },
                    // Nothing is signed; a zero signature is what servers without authentication send.
                    { "signature", new BsonDocument { { "hash", new BsonBinaryData(new byte[20]) }, { "keyId", 0L } } },
                }
            },
        };
        return fields.ToBson()[4..];
    }

    /// <summary>Where the value of the last field of this name begins: the name of the outer field ends with that of the inner one.</summary>
    private static int ValueOf(ReadOnlySpan<byte> name) => s_template.AsSpan().LastIndexOf(name) + name.Length + 1;
}
