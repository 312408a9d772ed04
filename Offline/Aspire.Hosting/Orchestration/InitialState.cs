using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting.Orchestration;

/// <summary>The state in which a resource appears first.</summary>
internal static class InitialState
{
    public static CustomResourceSnapshot Of(IResource resource, CustomResourceSnapshot snapshot, IResource? parent)
    {
        var properties = snapshot.Properties;
        if (parent is not null)
        {
            properties = properties.WithProperty(KnownProperties.Resource.ParentName, parent.GetResolvedResourceNames()[0]);
        }

        if (resource.TryGetLastAnnotation<ExecutableAnnotation>(out var executable))
        {
            properties = properties
                .WithProperty(KnownProperties.Executable.Path, executable.Command)
                .WithProperty(KnownProperties.Executable.WorkDir, executable.WorkingDirectory);
        }

        if (resource.TryGetLastAnnotation<IProjectMetadata>(out var project))
        {
            properties = properties.WithProperty(KnownProperties.Project.Path, project.ProjectPath);
        }

        if (resource.TryGetLastAnnotation<LaunchProfileAnnotation>(out var profile))
        {
            properties = properties.WithProperty(KnownProperties.Project.LaunchProfile, profile.LaunchProfileName);
        }

        if (resource.TryGetContainerImageName(out var image))
        {
            properties = properties.WithProperty(KnownProperties.Container.Image, image);
        }

        var explicitStart = resource.HasAnnotationOfType<ExplicitStartupAnnotation>();
        return snapshot with
        {
            ResourceType = resource switch
            {
                ProjectResource => KnownResourceTypes.Project,
                ExecutableResource => KnownResourceTypes.Executable,
                ContainerResource => KnownResourceTypes.Container,
                ConnectionStringResource => KnownResourceTypes.ConnectionString,
                IResourceWithConnectionString and ParameterResource => KnownResourceTypes.ConnectionString,
                ParameterResource => KnownResourceTypes.Parameter,
                _ => snapshot.ResourceType,
            },
            State = snapshot.State ?? (resource switch
            {
                ProjectResource or ExecutableResource when explicitStart => KnownResourceStates.NotStarted,
                ProjectResource or ExecutableResource => KnownResourceStates.Starting,
                ParameterResource => KnownResourceStates.Waiting,
                ConnectionStringResource => KnownResourceStates.NotStarted,
                _ => null,
            }),
            IsHidden = snapshot.IsHidden || resource.HasAnnotationOfType<HiddenAnnotation>(),
            Properties = properties,
            Volumes = resource.TryGetContainerMounts(out var mounts)
                ? [.. mounts.Select(m => new VolumeSnapshot(m.Source, m.Target, m.Type == ContainerMountType.Volume ? "volume" : "bind", m.IsReadOnly))]
                : snapshot.Volumes,
        };
    }
}
