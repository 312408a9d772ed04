using Microsoft.Extensions.Options;
using MongoDB.Driver;

namespace Platform.Data.Encryption;

/// <summary>The encryption that a program's settings ask for.</summary>
/// <param name="options">The settings.</param>
/// <param name="database">The database with the keys.</param>
/// <param name="time">The clock.</param>
public sealed class ConfiguredEncryption(IOptions<EncryptionOptions> options, IMongoDatabase database, TimeProvider time) : IDisposable
{
    private readonly Lazy<FieldEncryption?> _encryption = new(() => options.Value.Master is { } master
        ? new FieldEncryption(new MongoKeyVault(database), master, options.Value.Previous is { } previous ? [previous] : null, time)
        : null);

    /// <summary>The encryption; null where there is no master key, so that fields are stored plain.</summary>
    public FieldEncryption? Encryption => _encryption.Value;

    /// <summary>The master key; null where there is none.</summary>
    public MasterKey? Master => options.Value.Master;

    /// <summary>The one before it; null where there is none.</summary>
    public MasterKey? Previous => options.Value.Previous;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_encryption.IsValueCreated)
        {
            _encryption.Value?.Dispose();
        }
    }
}
