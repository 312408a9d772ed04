using System.Numerics;

namespace Platform.Mongo.Connections;

/// <summary>
/// A number that many threads change and few read. Each processor has a part of its own, so that they do not take turns over one
/// line of the cache; what is read is the sum.
/// </summary>
internal sealed class StripedCounter
{
    // Numbers of 8 bytes between two parts: processors fetch lines of 64 bytes in pairs.
    private const int Apart = 16;
    private const int MaxParts = 64;

    private readonly long[] _parts;
    private readonly int _mask;

    /// <summary>Zero.</summary>
    public StripedCounter()
    {
        var parts = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Min(Environment.ProcessorCount, MaxParts));
        _mask = parts - 1;
        _parts = new long[(parts + 1) * Apart];
    }

    /// <summary>The sum of what was added; while others add, as it was at one moment or another.</summary>
    public long Value
    {
        get
        {
            long sum = 0;
            for (var part = Apart; part < _parts.Length; part += Apart)
            {
                sum += Volatile.Read(ref _parts[part]);
            }

            return sum;
        }
    }

    /// <summary>Adds.</summary>
    public void Add(long difference) =>
        Interlocked.Add(ref _parts[((Thread.GetCurrentProcessorId() & _mask) + 1) * Apart], difference);
}
