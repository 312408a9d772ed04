using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Encryption;
using Platform.Jobs;
using Platform.Migrator.Execution;
using Platform.Migrator.Transforms;

namespace Platform.Migrator.Migrations;

/// <summary>
/// Encrypts the addresses and telephone numbers of customers and users, each with a key of its tenant, where the migrator has a master key; else 'migrator
/// keys encrypt' does it when there is one. The rules take both forms, and programs read both: those of before read none of these fields. The way down
/// decrypts, and keeps the keys, which backups may need.
/// </summary>
[Migration(7, "encrypt_personal_data")]
internal sealed class EncryptPersonalData : Migration
{
    private static readonly EncryptedField s_email = new("email", EncryptionKind.Deterministic, IsLowerCase: true);

    private static readonly (string Collection, EncryptedField[] Fields)[] s_collections =
    [
        (CollectionNames.Users, [s_email]),
        (CollectionNames.Customers,
            [s_email, new("phone", EncryptionKind.Deterministic, IsLowerCase: false), new("address", EncryptionKind.Random, IsLowerCase: false)]),
    ];

    public override bool CanBeRepeated => true;

    public override async Task UpAsync(MigrationContext context, CancellationToken cancellationToken)
    {
        // A dry run would make keys for tenants.
        if (context.Encryption is { } encryption && !context.IsDryRun)
        {
            foreach (var (collection, fields) in s_collections)
            {
                await context.TransformAsync(FieldEncryptionTransform.Encrypting(collection, fields, encryption), cancellationToken);
            }
        }
    }

    public override async Task DownAsync(MigrationContext context, CancellationToken cancellationToken)
    {
        foreach (var (collection, fields) in s_collections)
        {
            if (context.Encryption is { } encryption)
            {
                await context.TransformAsync(FieldEncryptionTransform.Decrypting(collection, fields, encryption), cancellationToken);
            }
            else if (await context.Database.GetCollection<BsonDocument>(collection).Find(FieldEncryptionTransform.Having(fields, _ => ["binData"]))
                .Limit(1)
                .AnyAsync(cancellationToken))
            {
                throw new JobRefusedException($"Documents of {collection} are encrypted, and there is no master key to decrypt them with.");
            }
        }
    }
}
