using System.Collections.Concurrent;
using MongoDB.Bson;

namespace Platform.Api.Caching;

/// <summary>
/// Products that this process got from Redis a moment ago, and gives to who asks again without asking Redis again: for as long as it hears of every change
/// (<see cref="Events.DataChanges"/>), and for a second at most, should what it hears be late. Thread-safe.
/// </summary>
/// <param name="time">The clock.</param>
internal sealed class NearProducts(TimeProvider time)
{
    // Some 10 MB. What is asked for again within a second is far less.
    private const int Most = 10_000;

    private const int Stripes = 1 << 10;

    private readonly ConcurrentDictionary<(ObjectId Tenant, ObjectId Product), (ReadOnlyMemory<byte> Json, long Since)> _products = new();

    // How many changes there were, by what changed, so that what was read before a change is not kept after it.
    private readonly long[] _changes = new long[Stripes];
    private readonly long _life = (long)(Life.TotalSeconds * time.TimestampFrequency);
    private bool _hears;
    private int _kept;

    /// <summary>How long a product is kept.</summary>
    public static TimeSpan Life => TimeSpan.FromSeconds(1);

    /// <summary>Whether every change is told to <see cref="Forget"/> from now on.</summary>
    /// <param name="isSo">Whether it is.</param>
    public void Hear(bool isSo)
    {
        Volatile.Write(ref _hears, isSo);
        ForgetAll();
    }

    /// <summary>Finds a product; empty when it is not there.</summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="product">The product.</param>
    public ReadOnlyMemory<byte> Find(ObjectId tenant, ObjectId product) =>
        _products.TryGetValue((tenant, product), out var kept) && time.GetTimestamp() - kept.Since < _life ? kept.Json : default;

    /// <summary>A number that is another after a change of the product; to be asked for before the product is read, for <see cref="Keep"/>.</summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="product">The product.</param>
    public long ChangesOf(ObjectId tenant, ObjectId product) => Volatile.Read(ref _changes[StripeOf(tenant, product)]);

    /// <summary>Keeps a product, unless it has changed since.</summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="product">The product.</param>
    /// <param name="json">What was read.</param>
    /// <param name="changes">What <see cref="ChangesOf"/> was before.</param>
    public void Keep(ObjectId tenant, ObjectId product, ReadOnlyMemory<byte> json, long changes)
    {
        if (!Volatile.Read(ref _hears))
        {
            return;
        }

        // Those that were kept twice count twice: the number of what is there costs all locks of the dictionary.
        if (Interlocked.Increment(ref _kept) > Most)
        {
            Volatile.Write(ref _kept, 1);
            _products.Clear();
        }

        _products[(tenant, product)] = (json, time.GetTimestamp());
        // Looked at afterwards: a change either finds what was kept, or is found here.
        if (ChangesOf(tenant, product) != changes || !Volatile.Read(ref _hears))
        {
            _products.TryRemove((tenant, product), out _);
        }
    }

    /// <summary>Forgets a product, which has changed.</summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="product">The product.</param>
    public void Forget(ObjectId tenant, ObjectId product)
    {
        Interlocked.Increment(ref _changes[StripeOf(tenant, product)]);
        _products.TryRemove((tenant, product), out _);
    }

    /// <summary>Forgets all products: any of them may have changed.</summary>
    public void ForgetAll()
    {
        for (var i = 0; i < Stripes; i++)
        {
            Interlocked.Increment(ref _changes[i]);
        }

        _products.Clear();
    }

    private static int StripeOf(ObjectId tenant, ObjectId product) => HashCode.Combine(tenant, product) & (Stripes - 1);
}
