"""The first tables, made by Django."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('customers', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Parcel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('country', models.CharField(default='DE', max_length=2)),
                ('grams', models.PositiveIntegerField()),
                ('insured', models.BooleanField(default=False)),
                ('state', models.CharField(choices=[('new', 'New'), ('booked', 'Booked'), ('sent', 'Sent'), ('delivered', 'Delivered'), ('lost', 'Lost')], default='new', max_length=10)),
                ('tracking', models.CharField(blank=True, max_length=40)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='parcels', to='customers.customer')),
            ],
        ),
        migrations.CreateModel(
            name='Event',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(max_length=10)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('parcel', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='shipping.parcel')),
            ],
            options={
                'ordering': ('at',),
            },
        ),
    ]
