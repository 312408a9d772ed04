namespace Platform.Seeder.Generation;

/// <summary>
/// The random numbers of one document: they depend on the seed, the kind and the document's number alone. SplitMix64, and
/// only integer arithmetic and IEEE basic operations after it, so that every machine and every version of .NET draws the same.
/// </summary>
/// <remarks><see href="https://doi.org/10.1145/2714064.2660195"/></remarks>
internal sealed class SeedRandom
{
    private const ulong Golden = 0x9E3779B97F4A7C15;

    private ulong _state;

    public SeedRandom(int seed, SeedKind kind, long number)
    {
        unchecked
        {
            _state = Mix(Mix(((ulong)(uint)seed << 8) | (byte)kind) + (ulong)number);
        }
    }

    public ulong Next()
    {
        unchecked
        {
            _state += Golden;
            return Mix(_state);
        }
    }

    /// <summary>At least 0, less than the bound.</summary>
    public int Below(int bound) => (int)Math.BigMul(Next(), (ulong)bound, out _);

    /// <summary>Both bounds included.</summary>
    public int Between(int least, int most) => least + Below(most - least + 1);

    /// <summary>At least 0, less than 1.</summary>
    public double Share() => (Next() >> 11) * (1.0 / (1UL << 53));

    public bool Chance(double probability) => Share() < probability;

    public T Pick<T>(IReadOnlyList<T> choices) => choices[Below(choices.Count)];

    /// <summary>One of the choices, each as often as its weight says; the weights' sum is 100.</summary>
    public T Weighted<T>(ReadOnlySpan<(T Choice, int Weight)> choices)
    {
        var draw = Below(100);
        foreach (var (choice, weight) in choices)
        {
            draw -= weight;
            if (draw < 0)
            {
                return choice;
            }
        }

        throw new ArgumentException("The weights' sum is less than 100.", nameof(choices));
    }

    public void Fill(Span<byte> bytes)
    {
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)(Next() >> 56);
        }
    }

    private static ulong Mix(ulong x)
    {
        unchecked
        {
            x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
            x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
            return x ^ (x >> 31);
        }
    }
}
