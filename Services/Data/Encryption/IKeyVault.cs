using MongoDB.Bson;

namespace Platform.Data.Encryption;

/// <summary>Where the tenants' keys are kept, each encrypted with a master key, in the form that all of MongoDB's drivers know.</summary>
/// <remarks>
/// What encrypts and decrypts does so in the middle of writing or reading a document, where nothing can be awaited: so there are two of each.
/// <see href="https://www.mongodb.com/docs/manual/reference/method/js-client-side-field-level-encryption/"/>
/// </remarks>
public interface IKeyVault
{
    /// <summary>Reads keys that a majority has.</summary>
    /// <param name="filter">Which.</param>
    IReadOnlyList<BsonDocument> Find(BsonDocument filter);

    /// <summary>Reads keys that a majority has.</summary>
    /// <param name="filter">Which.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    Task<IReadOnlyList<BsonDocument>> FindAsync(BsonDocument filter, CancellationToken cancellationToken);

    /// <summary>Adds a key, and waits until a majority has it.</summary>
    /// <param name="key">The key.</param>
    /// <returns>Whether it was added; not when there is one of its name.</returns>
    bool TryInsert(BsonDocument key);

    /// <summary>Adds a key, and waits until a majority has it.</summary>
    /// <param name="key">The key.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <returns>Whether it was added; not when there is one of its name.</returns>
    Task<bool> TryInsertAsync(BsonDocument key, CancellationToken cancellationToken);
}
