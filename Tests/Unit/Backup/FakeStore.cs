using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Platform.Backup.Copies;
using Platform.Backup.Engines;
using Platform.Backup.Repository;

namespace Platform.Tests.Unit.Backup;

/// <summary>A store in memory. A request can fail before it has done anything, or after it was done, so that nobody is told.</summary>
internal sealed class FakeStore : ICopyStore
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, (byte[] Bytes, string? Hash, string Tag)> _objects = new(StringComparer.Ordinal);
    private int _tags;

    /// <summary>What happens at a request: nothing, a failure before it, or one after it.</summary>
    public Func<string, FakeFault> Fault { get; set; } = _ => FakeFault.None;

    /// <summary>Called after each change, with what there is then.</summary>
    public Action<IReadOnlyDictionary<string, byte[]>>? Changed { get; set; }

    /// <summary>How often objects were sent.</summary>
    public ConcurrentQueue<string> Sent { get; } = [];

    /// <summary>How often anything was asked for.</summary>
    public int Requests { get; private set; }

    /// <summary>How often unfinished parts were removed.</summary>
    public int PartsRemoved { get; private set; }

    /// <inheritdoc />
    public string Place => "s3://fake/";

    /// <summary>What there is.</summary>
    public IReadOnlyDictionary<string, byte[]> Objects
    {
        get
        {
            lock (_lock)
            {
                return _objects.ToDictionary(entry => entry.Key, entry => entry.Value.Bytes, StringComparer.Ordinal);
            }
        }
    }

    /// <summary>Puts something there as somebody else does.</summary>
    public void Plant(string path, byte[] bytes, string? hash = null)
    {
        lock (_lock)
        {
            _objects[path] = (bytes, hash ?? _objects.GetValueOrDefault(path).Hash, _objects.GetValueOrDefault(path).Tag ?? "planted");
        }
    }

    /// <summary>Removes something as somebody else does.</summary>
    public void Steal(string path)
    {
        lock (_lock)
        {
            _objects.Remove(path);
        }
    }

    /// <inheritdoc />
    public async IAsyncEnumerable<StoredObject> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var found = await DoAsync("list", () => _objects.Select(entry => new StoredObject(entry.Key, entry.Value.Bytes.Length, entry.Value.Tag)).ToList());
        foreach (var item in found)
        {
            yield return item;
        }
    }

    /// <inheritdoc />
    public Task<string?> RecordedHashAsync(string path, CancellationToken cancellationToken) =>
        DoAsync("head", () => _objects.TryGetValue(path, out var found) ? found.Hash : null);

    /// <inheritdoc />
    public async Task<string> PutAsync(string path, ObjectHash hash, Stream content, CancellationToken cancellationToken)
    {
        using var bytes = new MemoryStream();
        await content.CopyToAsync(bytes, cancellationToken);
        // As S3 does with what does not have the sum that was said.
        Xunit.Assert.Equal(hash.Hash, Convert.ToHexStringLower(SHA256.HashData(bytes.ToArray())));
        Xunit.Assert.Equal(hash.Length, bytes.Length);
        return await DoAsync(
            "put",
            () =>
            {
                Sent.Enqueue(path);
                var tag = (++_tags).ToString(System.Globalization.CultureInfo.InvariantCulture);
                _objects[path] = (bytes.ToArray(), hash.Hash, tag);
                Tell();
                return tag;
            });
    }

    /// <inheritdoc />
    public Task<OpenObject?> OpenAsync(string path, CancellationToken cancellationToken) => DoAsync(
        "get", () => _objects.TryGetValue(path, out var found) ? new OpenObject(new MemoryStream(found.Bytes), found.Hash) : null);

    /// <inheritdoc />
    public Task DeleteAsync(string path, CancellationToken cancellationToken) => DoAsync(
        "delete",
        () =>
        {
            _objects.Remove(path);
            Tell();
            return true;
        });

    /// <inheritdoc />
    public Task RemovePartsAsync(CancellationToken cancellationToken) => DoAsync("parts", () => ++PartsRemoved);

    private void Tell() => Changed?.Invoke(_objects.ToDictionary(entry => entry.Key, entry => entry.Value.Bytes, StringComparer.Ordinal));

    private async Task<T> DoAsync<T>(string request, Func<T> work)
    {
        // So that requests of several at once mix.
        await Task.Yield();
        lock (_lock)
        {
            Requests++;
            var fault = Fault(request);
            if (fault == FakeFault.Before)
            {
                throw new BackupException($"{Place} did not {request}: it is away", ExitCodes.Unavailable);
            }

            var result = work();
            return fault == FakeFault.After ? throw new BackupException($"{Place} did not answer to {request}", ExitCodes.Unavailable) : result;
        }
    }
}

/// <summary>How a request fails.</summary>
internal enum FakeFault
{
    /// <summary>It does not.</summary>
    None,

    /// <summary>Nothing is done.</summary>
    Before,

    /// <summary>It is done, and nobody is told.</summary>
    After,
}
