using System.Security.Cryptography;
using System.Text;

namespace Platform.Seeder.Generation;

/// <summary>
/// SHA-256 over the BSON of a collection's documents in the order of their keys, when the pieces of the collection come in nearly that
/// order from several tasks. A piece that comes early waits for those before it.
/// </summary>
internal sealed class SeedHash : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly Dictionary<int, IReadOnlyList<byte[]>> _early = [];
    private readonly Lock _gate = new();
    private int _next;

    /// <summary>The hash over several collections: SHA-256 over one line <c>NAME HASH\n</c> for each, in the order of the catalogue.</summary>
    public static string Combine(IEnumerable<(string Collection, string Hash)> parts) => Convert.ToHexStringLower(SHA256.HashData(
        Encoding.UTF8.GetBytes(string.Concat(parts.Select(part => $"{part.Collection} {part.Hash}\n")))));

    /// <summary>The hash of everything that a size stands for; writes nothing.</summary>
    public static string Compute(SeedSize size) => Combine(SeedCollection.All(size).Select(part => (part.Name, Compute(part))));

    /// <summary>The hash of one collection.</summary>
    public static string Compute(SeedCollection part)
    {
        using var hash = new SeedHash();
        var piece = 0;
        foreach (var document in part.Documents())
        {
            hash.Add(piece++, [document]);
        }

        return hash.Finish();
    }

    /// <summary>Adds a piece; each number comes once, from 0 without a gap in the end.</summary>
    public void Add(int piece, IReadOnlyList<byte[]> documents)
    {
        lock (_gate)
        {
            if (piece != _next)
            {
                _early.Add(piece, documents);
                return;
            }

            Append(documents);
            while (_early.Remove(_next, out var waiting))
            {
                Append(waiting);
            }
        }
    }

    /// <summary>The hash over all pieces, as 64 hexadecimal digits in lower case.</summary>
    public string Finish()
    {
        lock (_gate)
        {
            return _early.Count == 0
                ? Convert.ToHexStringLower(_hash.GetHashAndReset())
                : throw new InvalidOperationException($"Piece {_next} is missing.");
        }
    }

    public void Dispose() => _hash.Dispose();

    private void Append(IReadOnlyList<byte[]> documents)
    {
        foreach (var document in documents)
        {
            _hash.AppendData(document);
        }

        _next++;
    }
}
