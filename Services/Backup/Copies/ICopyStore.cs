using Platform.Backup.Repository;

namespace Platform.Backup.Copies;

/// <summary>Where a copy of the repository is kept. Its objects are there whole or not at all.</summary>
/// <remarks>Whatever it cannot do for a reason that a person is told is a <see cref="Platform.Backup.Engines.BackupException"/>.</remarks>
internal interface ICopyStore
{
    /// <summary>Where it is, as sentences tell it.</summary>
    string Place { get; }

    /// <summary>All objects, in the order of their paths.</summary>
    IAsyncEnumerable<StoredObject> ListAsync(CancellationToken cancellationToken);

    /// <summary>The hash that was recorded with an object when it was sent; null when there is no such object, or none was.</summary>
    Task<string?> RecordedHashAsync(string path, CancellationToken cancellationToken);

    /// <summary>Sends an object, in the place of one that is there.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="hash">What it is known by, which is recorded with it.</param>
    /// <param name="content">The object from its beginning; a stream that can be read again.</param>
    /// <param name="cancellationToken">Ends the attempt; nothing of it is left.</param>
    /// <returns>The store's own mark of it.</returns>
    Task<string> PutAsync(string path, ObjectHash hash, Stream content, CancellationToken cancellationToken);

    /// <summary>Opens an object; null when there is none.</summary>
    Task<OpenObject?> OpenAsync(string path, CancellationToken cancellationToken);

    /// <summary>Removes an object; does nothing when there is none.</summary>
    Task DeleteAsync(string path, CancellationToken cancellationToken);

    /// <summary>Removes the parts of objects whose sending was ended half-way.</summary>
    Task RemovePartsAsync(CancellationToken cancellationToken);
}

/// <summary>An object as a list shows it.</summary>
/// <param name="Path">Its path.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Tag">The store's own mark, another one whenever it is sent.</param>
internal sealed record StoredObject(string Path, long Length, string Tag);

/// <summary>An object that is being read.</summary>
/// <param name="content">Its bytes.</param>
/// <param name="hash">The hash that was recorded with it; null for none.</param>
/// <param name="owner">What else is let go with it.</param>
internal sealed class OpenObject(Stream content, string? hash, IDisposable? owner = null) : IDisposable
{
    /// <summary>Its bytes.</summary>
    public Stream Content { get; } = content;

    /// <summary>The hash that was recorded with it; null for none.</summary>
    public string? Hash { get; } = hash;

    /// <inheritdoc />
    public void Dispose()
    {
        Content.Dispose();
        owner?.Dispose();
    }
}
