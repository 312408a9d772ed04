using System.CommandLine;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Jobs;
using Platform.Migrator.Execution;
using Platform.Migrator.Keys;

namespace Platform.Migrator.Commands;

/// <summary><c>migrator keys shred</c>: destroys a tenant's key, and so everything that it encrypted.</summary>
internal sealed class KeyShredCommand(IMongoDatabase database, SoleWorker alone)
{
    public static Command Create()
    {
        var tenant = new Option<string>("--tenant")
        {
            Description = "The tenant's key in the database: 24 hexadecimal digits.", HelpName = "ID", Required = true,
        };
        tenant.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string>() is { } word && !ObjectId.TryParse(word, out _))
            {
                result.AddError($"--tenant must be 24 hexadecimal digits, not '{word}'.");
            }
        });
        var yes = new Option<bool>("--yes") { Description = "Do it: what the key encrypted cannot be read any more, by anybody." };
        return MigratorJob.Report<KeyShredCommand, KeyShredReport>(
            new Command("shred", "Destroy a tenant's key, so that its personal data cannot be read any more; everything else of the tenant stays.")
            {
                tenant, yes,
            },
            (shred, result, token) => shred.RunAsync(ObjectId.Parse(result.GetValue(tenant)!), result.GetValue(yes), token),
            KeyText.Print,
            usesMasterKey: true).Audited("keysShred");
    }

    private Task<KeyShredReport> RunAsync(ObjectId tenant, bool isMeant, CancellationToken cancellationToken) => alone.RunAsync(
        async (_, token) =>
        {
            var keys = new DatabaseKeys(database);
            if (!await keys.HasKeyAsync(tenant, token))
            {
                throw new JobRefusedException($"Tenant {tenant} has no key in {CollectionNames.KeyVault}; 'migrator keys status' shows those that there are.");
            }

            var fields = await keys.CountAsync(tenant, token);
            if (!isMeant)
            {
                throw new JobRefusedException(
                    $"The key of tenant {tenant} encrypts {string.Join(", ", fields.Select(field => $"{field.Encrypted} {field.Collection}.{field.Field}"))}, "
                        + "which nobody could read any more; give --yes to destroy it.");
            }

            await keys.DestroyAsync(tenant, token);
            return new KeyShredReport(tenant.ToString(), fields);
        },
        cancellationToken);
}
