using Platform;
using Platform.AppHost;
using Platform.AppHost.Auditing;
using Platform.AppHost.Backup;
using Platform.AppHost.Commands;
using Platform.AppHost.Mongo;
using Platform.AppHost.Monitoring;
using Platform.AppHost.Publishing;
using Platform.AppHost.Redis;
using Platform.AppHost.Security;
using Platform.AppHost.Services;
using Platform.AppHost.Settings;
using Platform.AppHost.Stack;
using Platform.Hosting.Mongo;
using Platform.Hosting.Servers;

UserErrors.EndInASentence();
Surroundings.Prepare();
var builder = DistributedApplication.CreateBuilder(args);
var options = PlatformOptions.From(builder);
Console.WriteLine($"The engine is {options.EngineChoice}.");

// Data: a MongoDB replica set and a Redis cache, from the engine, with certificates of this stack's own.
var certificates = builder.AddCertificates(options);
var mongo = builder.AddMongoReplicaSet(ResourceNames.Mongo, options, certificates)
    .WithPrimaryCommands();
var database = mongo.AddReplicaSetDatabase(ResourceNames.Database)
    .WithStackEntry("mongo");
var cache = builder.AddCache(ResourceNames.Cache, options, certificates)
    .WithStackEntry("redis", RedisUri.Of)
    .WithRedisCliEntry()
    .WithAuthorityEntry();

// Access: each program has a user of its own; only the job that makes them knows the administrator.
var access = database.AddAccess<Projects.Migrator>(ResourceNames.Api, ResourceNames.Migrator, ResourceNames.Seeder, ResourceNames.Monitor)?
    .WithAudit(options);

// The master key of what programs encrypt before it is stored.
var masterKey = builder.AddMasterKey(options);

// Jobs: the migrator prepares the database; the seeder fills it, in development only.
var migrator = builder.AddJob<Projects.Migrator>(ResourceNames.Migrator)
    .WithDatabase(database)
    .WithMasterKey(masterKey)
    .WaitForAccess(database, access)
    .WithPublishArgs("up", "--wait");
database.WithMigrateCommand(migrator);

if (builder.ExecutionContext.IsRunMode && options.Seed)
{
    var seeder = builder.AddJob<Projects.Seeder>(ResourceNames.Seeder)
        .WithDatabase(database)
        .WithMasterKey(masterKey)
        .WaitForCompletion(migrator);
    var cleaner = builder.AddJob<Projects.Seeder>(ResourceNames.Cleaner)
        .WithArgs("clean")
        .WithDatabase(database, ResourceNames.Seeder)
        .WithMasterKey(masterKey)
        .WithParentRelationship(seeder)
        .WithExplicitStart();
    database.WithSeedCommands(seeder, cleaner);
}

// Services. All processes of the API sign page cursors with one key, also after a restart.
var cursorKey = builder.AddGeneratedSecret("cursor-key", length: 44);
var api = builder.AddService<Projects.Api>(ResourceNames.Api)
    .WithDatabase(database)
    .WithMasterKey(masterKey)
    .WithMigrationStates(access)
    .WithCache(cache)
    .WithEnvironment(SettingNames.PagingCursorKey, cursorKey)
    .WithCallers()
    .WaitForCompletion(migrator)
    .WaitFor(cache)
    .WithApiEndpoint(options, certificates)
    .WithExternalHttpEndpoints()
    .WithProbes()
    .WithUrlForEndpoint(options.ApiEndpoint(), _ => new() { Url = "/scalar", DisplayText = "API reference" })
    .WithUrlForEndpoint(options.ApiEndpoint(), _ => new() { Url = "/openapi/v1.json", DisplayText = "OpenAPI document" })
    .WithStackEntry("api", options.ApiEndpoint());

// Parts: what --with adds.
// [part monitoring]
List<IResourceBuilder<ProjectResource>> scraped = [api];
// [end of part]
// [part backup]
if (options.Parts.Contains(Part.Backup))
{
    var backup = builder.AddBackup(ResourceNames.Backup, mongo, options, ProgramPasswords.Find(database.Resource, ResourceNames.Api));
    // [part monitoring]
    scraped.Add(backup);
    // [end of part]
}

// [end of part]
// [part monitoring]
if (options.Parts.Contains(Part.Monitoring))
{
    builder.AddMonitoring(options, [.. scraped])
        .WithDatabase(database)
        .WithCache(cache, CacheLogin.Monitor);
}

// [end of part]
builder.PublishComposeFile();
builder.NeedNoCertificate();
builder.ReportFailures();
builder.RecordStack(options);
builder.RecordAudit(options);
builder.RecordMasterKey(options, masterKey);
builder.RecordSecrets(options);
builder.RestartDashboard();
builder.StopInOrder();

await builder.RunAsync();
